"""The wheel: it holds every file of the package, and nothing else."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

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
    assert package <= set(wheel.namelist())
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"janitor", f"janitor-{janitor.__version__}.dist-info"}


def test_wheel_states_version_and_command(wheel: zipfile.ZipFile) -> None:
    folder = f"janitor-{janitor.__version__}.dist-info"
    assert "janitor = janitor.cli:console_script" in wheel.read(f"{folder}/entry_points.txt").decode()
    assert f"\nVersion: {janitor.__version__}\n" in wheel.read(f"{folder}/METADATA").decode()
    assert [name for name in wheel.namelist() if name.startswith(("tests/", "deploy/", "benchmarks/"))] == []


@pytest.mark.slow
def test_an_installed_wheel_runs_the_demo_and_its_pages(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Given run.py in an environment without the checkout, the demo runs, and its pages find their files."""
    (tmp_path / "run.py").write_bytes((ROOT / "run.py").read_bytes())
    python = installed(wheel, tmp_path / "environment")
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    demo = [str(python), "-m", "janitor.demo", "--folder", str(tmp_path / "lab"), "--seconds", "15"]
    with subprocess.Popen(demo, cwd=tmp_path, env=elsewhere, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        address = next(found[1] for line in said if (found := re.match(r"The dashboard is at (http://\S+)", line)))
        shown = {path: page(address + path) for path in ("/", "/jobs", "/static/janitor.css", "/static/janitor.js")}
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert "labware_location" in shown["/jobs"] and "/static/janitor.css" in shown["/"]
    assert shown["/static/janitor.css"] == (ROOT / "janitor/web/static/janitor.css").read_text(encoding="utf-8")
    assert list((tmp_path / "lab" / "messages").glob("*.avro")) != []


def installed(wheel: zipfile.ZipFile, folder: Path) -> Path:
    """Install a wheel into a new environment that has this one's packages besides; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    wheel.extractall(site_packages)
    (site_packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin" / "python"


def page(url: str) -> str:
    """Fetch a page that must be there, once the daemon has come so far as to listen."""
    patience = urllib3.Retry(connect=100, backoff_factor=0.1, backoff_max=0.5)
    answer = urllib3.request("GET", url, timeout=10, retries=patience)
    assert answer.status == 200, f"{url}: {answer.status}"
    return answer.data.decode()
