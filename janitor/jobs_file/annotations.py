"""What a field of a class takes, by its annotation: a value of YAML becomes the field's value, or is refused in words.

str, int, float, bool, None, Any      as YAML has them; a whole number is a number too
Literal["a", "b"], X | Y              one of them
Sequence[X], tuple[X, ...], list[X]   a list; it becomes a tuple, or what the annotation wants
Mapping[str, X]                       names and values
Path, timedelta                       a text; a number of seconds, or a length such as 10m
Callable[..., X]                      'package.module:function'
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from janitor.guard import foreign_code
from janitor.jobs_file.functions import HELP, function_named
from janitor.jobs_file.keys import seconds
from janitor.jobs_file.mistakes import Wrong, shown

WORDS: Mapping[Any, tuple[str, str]] = {
    str: ("a text", "texts"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    NoneType: ("null", "nulls"),
    Path: ("a path", "paths"),
    date: ("a date such as 2027-01-01", "dates"),
    datetime: ("a moment such as 2027-01-01T00:00:00Z", "moments"),
    timedelta: ("a number of seconds above 0, or a length such as 10m", "lengths such as 10m"),
    Callable: (HELP.removeprefix("give "), "functions as 'package.module:function'"),
}
"""Each type in words: one value, and several."""
LISTS: Mapping[Any, Callable[[Iterable[Any]], Any]] = {
    **dict.fromkeys((Sequence, Collection, Iterable, tuple), tuple),
    **dict.fromkeys((AbstractSet, frozenset), frozenset),
    list: list,
    set: set,
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
    try:
        return _any_of(hint, value)
    except Wrong as exc:
        quotes = str in choices(hint) and isinstance(value, (bool, int, float))
        more = f"; in YAML a text such as '{str(value)[:40]}' wants quotes" if quotes else ""
        raise Wrong(str(exc) or f"it is {shown(value)}: give {expected(hint)}{more}") from exc


def expected(hint: Any) -> str:
    """What an annotation wants, in words, as they stand behind `give`."""
    return " or ".join(dict.fromkeys(_in_words(one) for one in choices(hint)))


def _in_words(hint: Any) -> str:
    kind, args = get_origin(hint) or hint, get_args(hint)
    if kind is Literal:
        return " or ".join(map(str, args))
    if kind in MAPPINGS:
        return "names and values"
    if kind in LISTS:
        inner = choices(args[0])[0] if args else Any
        return f"a list of {WORDS[inner][1]}" if inner in WORDS else "a list"
    return WORDS[kind][0] if kind in WORDS else f"a {getattr(kind, '__name__', 'value')}"


def _any_of(hint: Any, value: Any) -> Any:
    why = ""
    # A whole number stays one where both are taken.
    for one in sorted(choices(hint), key=lambda kind: type(value) is not kind):
        try:
            return _taken(one, value)
        except Wrong as exc:
            why = why or str(exc)
    raise Wrong(why)


def _taken(hint: Any, value: Any) -> Any:
    """A value as one type wants it; Wrong has a text only if it knows more than that the type is another."""
    kind, args = get_origin(hint) or hint, get_args(hint)
    if kind in (Any, object) or isinstance(kind, TypeVar):
        return value
    if kind is Literal:
        return next(_or_wrong(one for one in args if type(one) is type(value) and one == value))
    if kind in MAPPINGS:
        return _mapping(args, value)
    if kind in LISTS:
        return _list(kind, args, value)
    if kind is Callable and isinstance(value, str):
        return function_named(value)
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    if kind is timedelta:
        return timedelta(seconds=seconds(value))
    if kind is float and type(value) is int:
        return _float(value)
    # A moment is a date, and true is a number, to Python alone.
    if isinstance(kind, type) and (type(value) is kind if kind in WORDS else isinstance(value, kind)):
        return value
    raise Wrong


def _or_wrong(found: Iterable[Any]) -> Iterator[Any]:
    yield from found
    raise Wrong


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError as exc:
        raise Wrong("it is a number of too many digits: give a smaller number") from exc


def _mapping(args: Sequence[Any], value: Any) -> Any:
    if not isinstance(value, dict):
        raise Wrong
    names, values = args or (Any, Any)
    return {_any_of(names, name): _any_of(values, one) for name, one in value.items()}


def _list(kind: Any, args: Sequence[Any], value: Any) -> Any:
    if not isinstance(value, list):
        raise Wrong
    if kind is tuple and args and Ellipsis not in args:
        if len(value) != len(args):
            raise Wrong(f"it is {shown(value)}: give a list of {len(args)} values")
        return tuple(map(_any_of, args, value))
    return LISTS[kind](_any_of(args[0] if args else Any, one) for one in value)
