"""The functions that a jobs file names: imported, and asked what they need from outside."""

import difflib
import importlib
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.jobs_file.mistakes import Wrong, shown
from janitor.jobs_file.sources import folders_of
from janitor.needs import Need

NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
HELP = "give a function as 'package.module:function'"


def function_named(value: object) -> Callable[..., object]:
    """Import the function that 'package.module:function' names.

    Raises:
        Wrong: the value is no such name, the module cannot be imported, or there is no such function in it.
    """
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Wrong(f"it is {shown(value)}: {HELP}")
    module, _, name = value.partition(":")
    found: Any = _imported(module, value)
    for part in name.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, dir(found), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise Wrong(f"it is {shown(value)}: {module} has no {part}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise Wrong(f"it is {shown(value)}, which is a {type(found).__name__}: give a function")
    return found  # type: ignore[no-any-return]


def import_beside(path: Path) -> None:
    """Let modules that lie beside a jobs file be imported, unless Python finds a module of that name elsewhere."""
    sys.path += [str(folder) for folder in folders_of(path) if str(folder) not in sys.path]
    # A module that was written since Python last looked into its folder is found too.
    importlib.invalidate_caches()


def needs_of(func: Callable[..., object]) -> tuple[Need, ...]:
    """Return what a function needs from outside: `NEEDS` of its module, or of the nearest package around it."""
    name = getattr(func, "__module__", None) or ""
    while name:
        if (needs := getattr(sys.modules.get(name), "NEEDS", None)) is not None:
            return tuple(needs)
        name = name.rpartition(".")[0]
    return ()


def _imported(module: str, value: str) -> Any:
    found = None
    # A module may do anything while it is imported; it may also call sys.exit.
    with foreign_code(partial(_refuse, module, value), BaseException):
        found = importlib.import_module(module)
    return found


def _refuse(module: str, value: str, error: BaseException) -> NoReturn:
    raise Wrong(f"it is {shown(value)}: {_why_not_imported(module, error)}") from error


def _why_not_imported(module: str, error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError):
        return f"{module} cannot be imported: {summary(error)}"
    missing = error.name or module
    if module == missing or module.startswith(f"{missing}."):
        return f"there is no module {missing}; put it where Python finds it"
    return f"{module} cannot be imported, as it imports {missing}, which is missing"
