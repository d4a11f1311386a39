"""What a field of a class takes, by its annotation: a value of YAML becomes the field's value, or is refused in words.

str, int, float, bool, None, Any      as YAML has them; a whole number is a number too
Literal["a", "b"], X | Y              one of them
Sequence[X], tuple[X, ...], list[X]   a list; frozen as a tuple, unless the annotation wants a list or a set
Mapping[str, X]                       names and values
Path, timedelta                       a text; a number of seconds, or a length such as 10m
Callable[..., X]                      'package.module:function'
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from janitor.guard import foreign_code
from janitor.jobs_file.functions import HELP, function_named
from janitor.jobs_file.keys import seconds
from janitor.jobs_file.mistakes import Wrong, shown

WORDS: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    Path: "a path",
    date: "a date such as 2027-01-01",
    datetime: "a moment such as 2027-01-01T00:00:00Z",
    timedelta: "a number of seconds above 0, or a length such as 10m",
}
LISTS: Mapping[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
    tuple: tuple,
    Sequence: tuple,
    Collection: tuple,
    Iterable: tuple,
}
"""What a list becomes, by the annotation."""
MAPPINGS = (dict, Mapping)


def hints_of(kind: type) -> Mapping[str, Any]:
    """The annotations of a class's fields; none if they cannot be evaluated."""
    with foreign_code(lambda error: None):
        return get_type_hints(kind)
    return {}


def choices(hint: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type."""
    if get_origin(hint) is Annotated:
        return choices(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(one for part in get_args(hint) for one in choices(part))
    return (hint,)


def taken(hint: Any, value: Any) -> Any:
    """A value as an annotation wants it.

    Raises:
        Wrong: it is of another type; the text says what would be right.
    """
    wanted = choices(hint)
    for one in sorted(wanted, key=lambda kind: type(value) is not kind):
        with foreign_code(_none_of_it, Wrong) as other:
            return _taken(one, value)
        del other
    quotes = str in wanted and isinstance(value, (bool, int, float))
    more = f"; in YAML a text such as '{str(value)[:40]}' wants quotes" if quotes else ""
    raise Wrong(f"it is {shown(value)}: give {expected(hint)}{more}")
