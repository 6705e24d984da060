"""The built wheel is whole: in an empty folder, away from the checkout, it makes a store and loads every codebook."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

PRODUCT = ("backend", "db", "labelstudio_config")

USE = """
import sys
from pathlib import Path

site, libraries, store = sys.argv[1:]
sys.path[:0] = [site, libraries]

import backend, db, labelstudio_config
for room in (backend, db, labelstudio_config):
    assert Path(room.__file__).is_relative_to(site), room.__file__

from sqlalchemy import text
from backend.learning.rates import rates
from db import projects
from db.store import open_store, sqlite_url
from labelstudio_config.library import load, names

opened = open_store(sqlite_url(Path(store)))
with opened.writing() as session:
    revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    projects.create(session, "a", "A", 1, {"audit": 0, "control": 0, "coders": 1})
opened.close()
print("revision", revision)
print("looks", len(rates(100, 0.1, 1).chances))
for name in names():
    print("codebook", name, len(load(name).questions))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output; on failure, everything that was said."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """A wheel built from a copy of the product's sources, so that nothing left over from other builds gets in."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for room in PRODUCT:
        shutil.copytree(checkout / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(checkout / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def test_wheel_holds_the_product_its_data_and_its_licence_only(wheel: Path, checkout: Path) -> None:
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    there = {
        path.relative_to(checkout).as_posix()
        for room in PRODUCT
        for path in (checkout / room).rglob("*")
        if path.suffix in {".py", ".yaml", ".xml", ".mako", ".json", ".html", ".css"}
        and "__pycache__" not in path.parts
    }
    assert files == there
    assert any(name.endswith("licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_wheel_works_in_an_empty_folder(wheel: Path, checkout: Path, tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel, cwd=empty
    )
    # -S leaves out the .pth files of the environment, and with them the way to the checkout
    libraries = sysconfig.get_path("purelib")
    said = run(sys.executable, "-I", "-S", "-c", USE, site, libraries, tmp_path / "home", cwd=empty).split("\n")
    assert any(line.startswith("revision ") for line in said)
    assert "looks 4" in said
    books = {line.split()[1] for line in said if line.startswith("codebook ")}
    assert books == {path.stem for path in (checkout / "labelstudio_config" / "codebooks").glob("*.yaml")}
    assert list(empty.iterdir()) == []
