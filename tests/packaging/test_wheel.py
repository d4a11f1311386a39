"""The wheel: it holds every file of the package, and nothing else."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import janitor
from tests.command_line import ROOT
from tests.packaging.checkout import committed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Give a wheel of the committed files. It is built in a copy: a build leaves folders beside its sources."""
    copy = tmp_path_factory.mktemp("checkout")
    wanted = [
        path for path in committed() if path.name in ("pyproject.toml", "README.md", ".release-version", "run.py")
    ]
    for path in [*wanted, *(path for path in committed() if path.is_relative_to(ROOT / "janitor"))]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    built = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    with zipfile.ZipFile(next(copy.glob("*.whl"))) as found:
        yield found


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    package = {str(path.relative_to(ROOT)) for path in committed() if path.is_relative_to(ROOT / "janitor")}
    assert {Path(name).suffix for name in package} >= {".py", ".sql", ".avsc", ".mako"}
    assert package | {"run.py"} <= set(wheel.namelist())


def test_wheel_states_version_and_command(wheel: zipfile.ZipFile) -> None:
    folder = f"janitor-{janitor.__version__}.dist-info"
    assert "janitor = run:main" in wheel.read(f"{folder}/entry_points.txt").decode()
    assert f"\nVersion: {janitor.__version__}\n" in wheel.read(f"{folder}/METADATA").decode()
    assert [name for name in wheel.namelist() if name.startswith(("tests/", "deploy/", "benchmarks/"))] == []
