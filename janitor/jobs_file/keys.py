"""The keys of a jobs file, and how each key's value is read.

Each reader returns the value as `Scheduler.make_job` takes it, or raises Wrong and says what would be right.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

from janitor.jobs import schedules
from janitor.jobs.job import ID_HELP, CatchUp, Isolation, is_id
from janitor.jobs_file import functions
from janitor.jobs_file.functions import function_named
from janitor.jobs_file.mistakes import Wrong, shown


def _id(value: Any) -> str:
    if not is_id(value):
        raise _refused(value, ID_HELP, quote=True)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _refused(value, "give a text", quote=True)
    return value


def _schedule(value: Any) -> str:
    if isinstance(value, int) and 60 <= value < 1440:
        # YAML takes 14:30 for the number 870.
        raise Wrong(f"it is {value}: write a time of day in quotes, such as '{value // 60:02}:{value % 60:02}'")
    if not isinstance(value, str):
        raise _refused(value, schedules.HELP, quote=True)
    return value


def _list(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _refused(value, "give a list, such as [1, two]")
    return tuple(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise _refused(value, "give names and values, such as {limit: 10}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _refused(value, "give a list of texts, such as [crawl, process]")
    if twice := next((item for item, count in Counter(value).items() if count > 1), None):
        raise Wrong(f"it names {twice} twice: keep one")
    return tuple(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(value, "give true or false")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise _refused(value, "give a number of seconds above 0")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _refused(value, "give a whole number, 0 or more")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if value not in words:
            raise _refused(value, f"give {' or '.join(words)}")
        return str(value)

    return take


def _refused(value: Any, expected: str, *, quote: bool = False) -> Wrong:
    """Say what the value is and what would be right. `quote` adds how YAML takes 7 or true as a text."""
    unquoted = quote and isinstance(value, (bool, int, float))
    hint = f"; in YAML a text such as '{str(value)[:40]}' wants quotes" if unquoted else ""
    return Wrong(f"it is {shown(value)}: {expected}{hint}")


KEYS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "title": _text,
    "notes": _text,
    "function": function_named,
    "args": _list,
    "kwargs": _mapping,
    "schedule": _schedule,
    "dependencies": _texts,
    "enabled": _boolean,
    "timeout": _seconds,
    "retries": _count,
    "catch_up": _one_of(*get_args(CatchUp)),
    "isolation": _one_of(*get_args(Isolation)),
    "own_thread": _boolean,
    "tags": _texts,
    "protect": _boolean,
    "cleanup": function_named,
}
"""Every key, with the reader of its value."""
REQUIRED = {"id": ID_HELP, "function": functions.HELP}
"""The keys that every entry must have, and what to give."""
