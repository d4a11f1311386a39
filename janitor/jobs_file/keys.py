"""The keys of a jobs file, and how each key's value is read.

Each reader returns the value as `Scheduler.make_job` takes it, or raises Wrong and says what would be right.
"""

import difflib
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, get_args

from janitor.items.step import Record
from janitor.jobs import schedules
from janitor.jobs.job import ID_HELP, CatchUp, Isolation, is_id
from janitor.jobs_file import functions
from janitor.jobs_file.functions import function_named
from janitor.jobs_file.mistakes import Wrong, shown
from janitor.state.item_adding import DUPLICATES

MOST_STATUS = 64
LARGEST = sys.float_info.max
"""A whole number may be larger, and then it is no number of Python's."""
LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
"""A number with its unit, such as 10m."""


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


def seconds(value: Any) -> float:
    """A number of seconds, from a number or a length such as 10m.

    Raises:
        Wrong: it is neither, or is not above 0.
    """
    length = LENGTH.fullmatch(value.lower()) if isinstance(value, str) else None
    number = value if length is None else float(length[1]) * schedules.UNITS[length[2]]
    if not _is_above_0(number):
        raise _refused(value, "give a number of seconds above 0, or a length such as 10m")
    return float(number)


def _number(value: Any) -> float:
    if not _is_above_0(value):
        raise _refused(value, "give a number above 0")
    return float(value)


def _is_above_0(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LARGEST


def _count_from(least: int) -> Callable[[Any], int]:
    def take(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _refused(value, f"give a whole number, {least} or more")
        return value

    return take


def status(value: Any) -> str:
    """The name of a status.

    Raises:
        Wrong: it is no text, or is empty or too long.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MOST_STATUS:
        raise _refused(value, f"give a status, a text of up to {MOST_STATUS} characters", quote=True)
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
    "timeout": seconds,
    "retries": _count_from(0),
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
STEP_KEYS: dict[str, Callable[[Any], Any]] = {
    "failed": status,
    "retries": _count_from(0),
    "timeout": seconds,
    "workers": _count_from(1),
    "isolation": _one_of(*get_args(Isolation)),
    "items_per_child": _count_from(1),
    "schedule": _schedule,
    "enabled": _boolean,
    "record": _one_of(*get_args(Record)),
    "cleanup": function_named,
    "title": _text,
    "notes": _text,
    "tags": _texts,
    "protect": _boolean,
}
"""The keys of a step whose values stand by themselves, each with its reader."""
PIPELINE_KEYS: dict[str, Callable[[Any], Any]] = {
    "title": _text,
    "notes": _text,
    "task_name": _text,
    "on_duplicate": _one_of(*DUPLICATES),
    "keep_days": _number,
    "keep_errors_days": _number,
    "fails_in_a_row": _count_from(1),
    "waits_seconds": seconds,
}
"""The keys of a pipeline whose values stand by themselves, each with its reader."""
MOST_GUESSES = 100
"""For how many unknown keys a like key is looked for."""


def no_such_key(key: str, known: Collection[str], number: int = 0) -> str:
    """What is told of an unknown key, the one of this number; of very many no like key is looked for."""
    close = difflib.get_close_matches(key, known, 1) if number < MOST_GUESSES else []
    help_text = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(known)}"
    return f"there is no such key; {help_text}"
