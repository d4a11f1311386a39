"""The front door: where the jobs come from, and the command that was typed.

python run.py, python other.py    the file hands its jobs to `cli.main` itself
janitor --app package.module:build   that function
janitor                              `build` in ./run.py, if there is such a file with such a function
janitor --jobs jobs.yaml             the same; without a ./run.py, the jobs file alone
"""

import ast
import importlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from janitor.errors import BadSetting, summary
from janitor.guard import foreign_code
from janitor.scheduler import Scheduler
from janitor.settings.paths import shown
from janitor.settings.settings import Groups, Settings

Build = Callable[[Settings], Scheduler]
APP_HELP = "give a function as 'package.module:build'"


@dataclass(frozen=True)
class FrontDoor:
    """What makes the clock with its jobs; `name` is told at the start and by `check`."""

    build: Build
    of_tasks: Groups
    name: str


def front_door(app: str | None, build: Build | None, of_tasks: Groups) -> FrontDoor:
    """The front door that `--app` names; or the file that handed over `build`; or ./run.py; or none.

    Raises:
        BadSetting: it cannot be imported, or has no `build`.
    """
    if app is not None:
        return _of_app(app)
    if build is not None:
        file = getattr(build, "__code__", None)
        return FrontDoor(
            build, of_tasks, shown(Path(file.co_filename)) if file else "no file: no jobs but a jobs file's"
        )
    path = Path("run.py")
    if not path.is_file():
        return FrontDoor(Scheduler, (), "none, as there is no ./run.py and no --app: no jobs but a jobs file's")
    if not _builds(path):
        return FrontDoor(Scheduler, (), "none, as ./run.py has no function build: no jobs but a jobs file's")
    return _of_module(_loaded(path), "./run.py", "build", "./run.py")


def command(given: Mapping[str, str]) -> str:
    """The command that was typed, without a verb; `given` are options that were typed, with their values."""
    return " ".join([_program(), *(f"{option} {shlex.quote(value)}" for option, value in given.items())])


def import_from_here() -> None:
    """Let modules of the working folder be imported, as `python run.py` does; a console script does not."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)


def _program() -> str:
    first, spec = sys.argv[0], getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and spec.origin is not None and Path(spec.origin) == Path(first):
        return f"python -m {spec.name.removesuffix('.__main__')}"
    if first.endswith(".py"):
        return f"python {shlex.quote(shown(Path(first)))}"
    return "janitor"


def _of_app(app: str) -> FrontDoor:
    name, _, function = app.partition(":")
    if not name or not all(part.isidentifier() for part in [*name.split("."), *([function] if ":" in app else [])]):
        raise BadSetting("--app", app, APP_HELP)
    import_from_here()
    module: Any = None
    with foreign_code(partial(_refuse, "--app", app), BaseException):
        module = importlib.import_module(name)
    return _of_module(module, app, function or "build", f"--app {app}")


def _of_module(module: ModuleType, given: str, function: str, name: str) -> FrontDoor:
    build = getattr(module, function, None)
    if not callable(build):
        raise BadSetting("the front door", given, f"it has no function {function}; {APP_HELP}")
    return FrontDoor(build, tuple(getattr(module, "SETTINGS_OF_TASKS", ())), name)


def _builds(path: Path) -> bool:
    """Whether a file defines `build`; a file of that name may be another program's, so it is not run to find out."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError) as exc:
        raise BadSetting("the front door", "./run.py", f"it cannot be read: {summary(exc)}") from exc
    return "build" in _names(tree)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _loaded(path: Path) -> ModuleType:
    """The module `run`: child processes import it again by that name."""
    import_from_here()
    module: Any = None
    with foreign_code(partial(_refuse, "the front door", "./run.py"), BaseException):
        module = importlib.import_module("run")
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path.resolve():
        raise BadSetting("the front door", "./run.py", f"another module run was imported, from {found}")
    return module  # type: ignore[no-any-return]


def _refuse(name: str, given: str, error: BaseException) -> NoReturn:
    if isinstance(error, KeyboardInterrupt):
        raise error
    raise BadSetting(name, given, f"it cannot be imported: {summary(error)}") from error
