"""What tasks return: counts, results, and generators, which are run to their end."""

import sys
from collections.abc import Generator, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from janitor.errors import Cancelled, Rejected
from janitor.jobs.result_texts import decode
from janitor.jobs.returned import Returned, call, take
from janitor.runs import Run, running


def steps(last: object = None) -> Generator[dict[str, Any], None, object]:
    yield {"rows": 1, "name": "a"}
    yield {"rows": 2, "more": Decimal("0.5")}
    yield {"rows": 3, "name": "b"}
    return last


def test_the_mappings_of_a_generator_are_added_up() -> None:
    returned = take(steps(), "no")
    assert (returned.counts, returned.result) == ({"rows": 6, "name": "b", "more": 0.5}, None)


def test_a_generator_that_returns_none_gives_its_counts() -> None:
    assert decode(take(steps([1]), "always").result or "") == [1]
    assert decode(take(steps(), "always").result or "") == {"rows": 6, "name": "b", "more": Decimal("0.5")}


def test_each_step_of_a_generator_is_a_safe_point() -> None:
    run = Run()
    seen = []

    def endless() -> Iterator[None]:
        while True:
            seen.append(1)
            run.ask_to_stop(Cancelled("enough"))
            yield

    with running(run), pytest.raises(Cancelled, match="enough"):
        take(endless(), "no")
    assert len(seen) == 1


def test_none_is_a_result_too() -> None:
    assert take(None, "always").result == "null"
    assert take({"rows": 1}, "no").result is None


def test_a_kept_result_leaves_lists_out_of_the_counts() -> None:
    assert take({"rows": 1, "pages": [1]}, "always").counts == {"rows": 1}
    assert take({"rows": 1, "pages": [1]}, "no").counts == {"rows": 1, "pages": "[1]"}


def test_numbers_of_several_kinds_add_up() -> None:
    def of(*values: object) -> Iterator[dict[str, object]]:
        yield from ({"it": value} for value in values)

    assert take(of(Decimal("0.5"), 1.5, Fraction(1, 2)), "no").counts == {"it": 2.5}
    assert take(of(1, "text", 2, True), "no").counts == {"it": True}
    assert take(of(1e308, 1e308), "no").counts == {}


def test_a_result_that_nobody_needs_is_left_out_if_it_does_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    large = {"rows": 1, "text": "x" * 2_000_000}
    for returned in (large, {"rows": 1, "share": float("nan")}, {"rows": 1, "at": object()}):
        assert (take(returned, "if it fits").result, take(returned, "no").result) == (None, None)
        with pytest.raises(Rejected):
            take(returned, "always")
    assert take(large, "if it fits").counts == take(large, "no").counts
    said = [record.getMessage() for record in caplog.records if "is not kept" in record.getMessage()]
    assert len(said) == 4 and said[0].startswith("the result is not kept: the result is 2,000,0")
    assert decode(take({"rows": 1}, "if it fits").result or "") == {"rows": 1}


@pytest.mark.parametrize("code", [None, 0, False])
def test_a_task_may_leave_with_a_good_code(code: object) -> None:
    def steps() -> Iterator[dict[str, int]]:
        yield {"rows": 3}
        sys.exit(code)  # type: ignore[arg-type]

    assert call(lambda: sys.exit(code), "always") == Returned(None, "null")  # type: ignore[arg-type]
    assert call(steps, "no").counts == {"rows": 3}


@pytest.mark.parametrize("code", [1, -1, "no rows", 0.0, "", []])
def test_another_code_is_a_failure(code: object) -> None:
    def steps() -> Iterator[None]:
        yield
        sys.exit(code)  # type: ignore[arg-type]

    for task in (lambda: sys.exit(code), steps):  # type: ignore[arg-type]
        with pytest.raises(SystemExit):
            call(task, "no")
