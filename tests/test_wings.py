"""Each wing can be taken out: the rest works without its folder, its files and the lines that name it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, CommandLine, wait_for
from tests.fixtures import Warehouses
from tests.imports import imports, modules
from tests.tasks.rows import fill_recently

WINGS = {
    "notices": ("verbs/notices.py", "settings/notices.py"),
    "web": ("verbs/password.py", "settings/web.py", "settings/accounts.py"),
    "jobs_file": ("verbs/validate.py", "settings/jobs_file.py"),
}
"""Each wing's files beside its own folder and its file in verbs/wings/."""
FIRST = "web"
"""The wing that is taken out without --all."""
LISTS = ("verbs/wings/__init__.py", "settings/settings.py")
"""The two files whose lines name the wings."""
ROOMS = "checks databases engine feeds jobs logs operations publisher rabbitmq settings state table_sink tasks".split()
IMPORT_ALL = """
import importlib, pkgutil
import janitor, run
for found in pkgutil.walk_packages(janitor.__path__, "janitor."):
    if not found.name.endswith(("__main__", "migrations.env")):
        importlib.import_module(found.name)
"""


def without(wing: str, folder: Path) -> Path:
    """A copy of the code in `folder` from which a wing was taken out."""
    shutil.copytree(ROOT / "janitor", folder / "janitor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run.py", ".release-version", "pyproject.toml", "setup.cfg", ".env.example", "README.md"):
        shutil.copy(ROOT / name, folder)
    house = folder / "janitor"
    shutil.rmtree(house / wing)
    for name in (*WINGS[wing], f"verbs/wings/{wing}.py"):
        (house / name).unlink()
    classes = f"{wing.title().replace('_', '')}(?:Wing|Settings)"
    names = re.compile(
        rf"janitor\.(?:verbs\.wings|settings)\.{wing}\b|\b{classes}\b".replace("Notices(?:", "Notices?(?:")
    )
    for name in LISTS:
        lines = (house / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not names.search(line)]
        assert len(lines) - len(kept) == 2, f"{wing} has more lines in {name} than an import and an entry"
        (house / name).write_text("".join(kept), encoding="utf-8")
    return folder


@pytest.fixture(
    params=[pytest.param(name, marks=[] if name == FIRST else [pytest.mark.slow]) for name in sorted(WINGS)]
)
def wing(request: pytest.FixtureRequest) -> str:
    """The wing that is gone."""
    return str(request.param)


@pytest.fixture
def copy(wing: str, tmp_path: Path) -> Path:
    """The code without it."""
    (tmp_path / "copy").mkdir()
    return without(wing, tmp_path / "copy")


def test_every_module_can_be_imported_without_a_wing(copy: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=copy, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_no_import_within_a_function_names_a_wing_that_is_gone(copy: Path) -> None:
    known = modules(copy)
    named = {(name, module) for name, path in known.items() for module, _ in imports(path)}
    assert {(name, module) for name, module in named if module.startswith("janitor") and module not in known} == set()


@pytest.mark.slow
def test_jobs_run_and_a_daemon_lives_without_a_wing(
    wing: str, copy: Path, tmp_path: Path, sqlite_warehouses: Warehouses
) -> None:
    # Given: a lab on SQLite, and the code without the wing. What happens: the verbs, then a daemon, run its jobs.
    # What must hold: all of them succeed, the daemon ends well, and nothing names the wing.
    fill_recently(sqlite_warehouses, runs=2, products=4, labwares=30)
    given = {
        "MESSAGES_DIR": "messages",
        "LABWARE_LOCATION_SCHEDULE": "every 1s",
        "WEB_PORT": "0",
        "WEB_ENABLED": "true",
    }
    janitor = CommandLine(
        tmp_path, (str(copy / "run.py"),), sqlite_warehouses.environment() | given | {"PYTHONPATH": str(copy)}
    )
    assert [row["job"] for row in janitor("jobs").rows][0] == "labware_location"
    ran = janitor("run", "labware_location")
    assert ran.code == 0 and "inserted=27" in ran.out, ran.out + ran.err
    checked = janitor("check")
    assert checked.code == 0, checked.out + checked.err
    with janitor.started() as daemon:
        wait_for(lambda: len(janitor("history", "labware_location").rows) >= 2)
        ended = janitor.stopped(daemon)
    assert ended.code == 0, ended.out + ended.err
    assert "Traceback" not in ended.out + ended.err


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_other_rooms_pass_their_tests_without_a_wing(wing: str, copy: Path) -> None:
    # Given: the code without the wing, and the tests of the other rooms. What happens: they run in the copy.
    # What must hold: they pass. Only a test that imports the wing itself, or one of its helpers, is left out.
    shutil.copytree(ROOT / "docs", copy / "docs")
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(copy / "tests" / wing, ignore_errors=True)
    for path in sorted((copy / "tests").rglob("test_*.py")):
        if any(is_gone(module, name, copy) for module, name in imports(path)):
            path.unlink()
    rooms = [f"tests/{room}" for room in ROOMS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rooms]
    ended = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:]


def is_gone(module: str, name: str, copy: Path) -> bool:
    """Whether an import names a module that is here, and is not in the copy."""
    places = [Path(*module.split(".")), Path(*module.split("."), name)]
    return any(is_module(ROOT / place) and not is_module(copy / place) for place in places)


def is_module(place: Path) -> bool:
    """Whether there is a module or a package at a path without an ending."""
    return (place / "__init__.py").is_file() or place.with_suffix(".py").is_file()
