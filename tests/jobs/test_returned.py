"""What tasks return: counts, results, and generators, which are run to their end."""

import sys
from collections.abc import Generator, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from janitor.errors import Cancelled
from janitor.jobs.result_texts import decode
from janitor.jobs.returned import Returned, call, take
from janitor.runs import Run, running


def steps(last: object = None) -> Generator[dict[str, Any], None, object]:
    yield {"rows": 1, "name": "a"}
    yield {"rows": 2, "more": Decimal("0.5")}
    yield {"rows": 3, "name": "b"}
    return last


def test_the_mappings_of_a_generator_are_added_up() -> None:
    returned = take(steps(), keeps_result=False)
    assert (returned.counts, returned.result) == ({"rows": 6, "name": "b", "more": 0.5}, None)


def test_a_generator_that_returns_none_gives_its_counts() -> None:
    assert decode(take(steps([1]), True).result or "") == [1]
    assert decode(take(steps(), True).result or "") == {"rows": 6, "name": "b", "more": Decimal("0.5")}


def test_each_step_of_a_generator_is_a_safe_point() -> None:
    run = Run()
    seen = []

    def endless() -> Iterator[None]:
        while True:
            seen.append(1)
            run.ask_to_stop(Cancelled("enough"))
            yield

    with running(run), pytest.raises(Cancelled, match="enough"):
        take(endless(), False)
    assert len(seen) == 1


def test_none_is_a_result_too() -> None:
    assert take(None, True).result == "null"
    assert take({"rows": 1}, False).result is None


def test_a_kept_result_leaves_lists_out_of_the_counts() -> None:
    assert take({"rows": 1, "pages": [1]}, True).counts == {"rows": 1}
    assert take({"rows": 1, "pages": [1]}, False).counts == {"rows": 1, "pages": "[1]"}


def test_numbers_of_several_kinds_add_up() -> None:
    def of(*values: object) -> Iterator[dict[str, object]]:
        yield from ({"it": value} for value in values)

    assert take(of(Decimal("0.5"), 1.5, Fraction(1, 2)), False).counts == {"it": 2.5}
    assert take(of(1, "text", 2, True), False).counts == {"it": True}
    assert take(of(1e308, 1e308), False).counts == {}


@pytest.mark.parametrize("code", [None, 0, False])
def test_a_task_may_leave_with_a_good_code(code: object) -> None:
    def steps() -> Iterator[dict[str, int]]:
        yield {"rows": 3}
        sys.exit(code)  # type: ignore[arg-type]

    assert call(lambda: sys.exit(code), True) == Returned(None, "null")  # type: ignore[arg-type]
    assert call(steps, False).counts == {"rows": 3}


@pytest.mark.parametrize("code", [1, -1, "no rows", 0.0, "", []])
def test_another_code_is_a_failure(code: object) -> None:
    def steps() -> Iterator[None]:
        yield
        sys.exit(code)  # type: ignore[arg-type]

    for task in (lambda: sys.exit(code), steps):  # type: ignore[arg-type]
        with pytest.raises(SystemExit):
            call(task, False)
