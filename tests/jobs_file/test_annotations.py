"""What a field takes, by its annotation: values of YAML become what the field wants, or are refused in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, TypeVar

import pytest

from janitor.items.ends import Take
from janitor.jobs_file.annotations import choices, expected, hints_of, taken
from janitor.jobs_file.mistakes import Wrong
from tests.jobs_file import pipes

Kind = TypeVar("Kind")
NOON = datetime(2027, 1, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("hint", "value", "found"),
    [
        (str, "7", "7"),
        (int, 7, 7),
        (float, 7, 7.0),
        (float | int, 7, 7),
        (bool, True, True),
        (Optional[int], None, None),
        (Any, {"a": [1]}, {"a": [1]}),
        (object, 7, 7),
        (Kind, 7, 7),
        (Literal["a", 7], 7, 7),
        (Annotated[int, "more"] | None, 7, 7),
        (Sequence[str], ["a", "b"], ("a", "b")),
        (Iterable[float], [1], (1.0,)),
        (list[int], [1, 2], [1, 2]),
        (set[str], ["a"], {"a"}),
        (tuple[str, int], ["a", 7], ("a", 7)),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (tuple, [1, "a"], (1, "a")),
        (Mapping[str, str], {"a": "b"}, {"a": "b"}),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Mapping[str, str] | Sequence[str], ["a"], ("a",)),
        (Path, "in/here", Path("in/here")),
        (str | Path, "in/here", "in/here"),
        (timedelta, "90s", timedelta(seconds=90)),
        (date, NOON.date(), NOON.date()),
        (datetime, NOON, NOON),
        (Callable[[Any], Any], f"{pipes.HERE}:well", pipes.well),
        (Take, f"{pipes.HERE}:well", pipes.well),
    ],
)
def test_a_value_becomes_what_the_annotation_wants(hint: Any, value: Any, found: Any) -> None:
    assert taken(hint, value) == found and type(taken(hint, value)) is type(found)


@pytest.mark.parametrize(
    ("hint", "value", "said"),
    [
        (str, 7, "it is 7: give a text; in YAML a text such as '7' wants quotes"),
        (str, None, "it is None: give a text"),
        (int, True, "it is True: give a whole number"),
        (int, 1.5, "it is 1.5: give a whole number"),
        (float, "1", "it is '1': give a number"),
        (float, True, "it is True: give a number"),
        (float, 10**400, "it is a number of too many digits: give a smaller number"),
        (bool, "yes", "it is 'yes': give true or false"),
        (int | None, "a", "it is 'a': give a whole number or null"),
        (Literal["new", "old"], "odd", "it is 'odd': give new or old"),
        (Literal[1], True, "it is True: give 1"),
        (Sequence[str], "a", "it is 'a': give a list of texts"),
        (Sequence[str], ["a", 7], "it is ['a', 7]: give a list of texts"),
        (Sequence[Sequence[str]], 7, "it is 7: give a list"),
        (tuple[str, int], ["a"], "it is ['a']: give a list of 2 values"),
        (Mapping[str, str], ["a"], "it is ['a']: give names and values"),
        (Mapping[str, str], {"a": 1}, "it is {'a': 1}: give names and values"),
        (Mapping[str, str], {1: "a"}, "it is {1: 'a'}: give names and values"),
        (Path, "", "it is '': give a path"),
        (date, NOON, "give a date such as 2027-01-01"),
        (datetime, NOON.date(), "give a moment such as 2027-01-01T00:00:00Z"),
        (timedelta, "soon", "it is 'soon': give a number of seconds above 0, or a length such as 10m"),
        (Callable[..., Any], 7, "it is 7: give a function as 'package.module:function'"),
        (Callable[..., Any], f"{pipes.HERE}:wel", "has no wel; did you mean 'well'?"),
        (pipes.Plain, "a", "it is 'a': give a Plain"),
    ],
)
def test_another_value_is_refused_in_words(hint: Any, value: Any, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        taken(hint, value)
    assert said in str(caught.value)


def test_annotations_that_cannot_be_evaluated_are_none() -> None:
    broken = type("Broken", (), {"__annotations__": {"field": "NotThere"}})
    assert hints_of(broken) == {}
    assert hints_of(pipes.How) == {"key_field": str, "most": int}


def test_a_union_is_its_types() -> None:
    assert choices(int | Annotated[str, 7] | None) == (int, str, type(None))
    assert expected(int | float | Annotated[int, 7]) == "a whole number or a number"
