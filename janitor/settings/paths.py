"""Paths in settings: absolute from when they are read, so that a task that changes folders changes none of them."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL

from janitor.settings.database_options import PATHS


def holds_path(value: Any) -> bool:
    """Whether a value is a path, or holds paths."""
    return isinstance(value, (Path, URL)) or (isinstance(value, tuple) and any(map(holds_path, value)))


def absolute(value: Any, folder: Path) -> Any:
    """A path, or a URL with paths in it, from `folder` on; `~` is the home of a user; other values as they are.

    Raises:
        ValueError: there is no such user.
    """
    if isinstance(value, Path):
        return _from(folder, str(value))
    if type(value) is tuple:
        return tuple(absolute(part, folder) for part in value)
    if not isinstance(value, URL):
        return value
    if value.get_backend_name() == "sqlite":
        return value.set(database=str(_from(folder, value.database))) if value.database else value
    paths = {name: str(_from(folder, str(text))) for name, text in value.query.items() if name in PATHS}
    return value.update_query_dict(paths) if paths else value


def shown(path: Path | str) -> str:
    """A path as people read it: from the working folder on, if it is in that folder."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _from(folder: Path, text: str) -> Path:
    try:
        return folder / Path(text).expanduser()
    except RuntimeError as exc:
        raise ValueError("there is no such user: give a path without ~") from exc
