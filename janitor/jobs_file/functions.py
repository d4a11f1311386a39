"""The functions that a jobs file names: imported, and asked what they need from outside."""

import difflib
import importlib
import os
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
_beside: list[str] = []
"""The folders that a jobs file has put on Python's path."""
_read_from: dict[str, str] = {}
"""The real path of each module that a jobs file named, when it was imported."""


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
    """Let modules that lie beside a jobs file be imported, unless Python finds a module of that name elsewhere.

    If the file is a link that was switched, the folders beside it now come before those from earlier.
    """
    folders = [str(folder) for folder in folders_of(path)]
    new = [folder for folder in folders if folder not in sys.path or folder in _beside]
    kept = [folder for folder in _beside if folder not in new]
    sys.path[:] = [folder for folder in sys.path if folder not in _beside] + new + kept
    _beside[:] = new + kept
    # A module that was written since Python last looked into its folder is found too.
    importlib.invalidate_caches()


def check_still_there(value: str, path: Path) -> None:
    """Refuse a function whose module came from beside a jobs file, if another file of its name lies there now.

    A link that is switched to another release leads to other modules, while Python keeps the modules that it has.

    Raises:
        Wrong: the module's file is another, or is gone.
    """
    module = value.partition(":")[0]
    file = getattr(sys.modules.get(module), "__file__", None)
    root = next((folder for folder in _beside if file and Path(folder) in Path(file).parents), None)
    if module not in _read_from or file is None or root is None:
        return
    before, inside = _read_from[module], Path(file).relative_to(root)
    now = next((str(found) for folder in folders_of(path) if (found := folder / inside).exists()), None)
    if now is None or os.path.realpath(now) != before and not _are_equal(now, before):
        there = "is there no more" if now is None else "is another now"
        raise Wrong(f"it is {shown(value)}: {module} was imported from {before}, and {there}; start the daemon anew")


def _are_equal(file: str, other: str) -> bool:
    try:
        return Path(file).read_bytes() == Path(other).read_bytes()
    except OSError:
        return False


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
    if file := getattr(found, "__file__", None):
        _read_from.setdefault(module, os.path.realpath(file))
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
