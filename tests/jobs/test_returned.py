"""What tasks return: counts, results, and generators, which are run to their end."""

from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from janitor.errors import Cancelled
from janitor.jobs.result_texts import decode
from janitor.jobs.returned import take
from janitor.runs import Run, running


def steps(last: object = None) -> Generator[dict[str, Any], None, object]:
    yield {"rows": 1, "name": "a"}
    yield {"rows": 2, "more": Decimal("0.5")}
    yield {"rows": 3, "name": "b"}
    return last


def test_the_mappings_of_a_generator_are_added_up() -> None:
    returned = take(steps(), keeps_result=False)
    assert (returned.counts, returned.result) == ({"rows": 6, "name": "b", "more": "0.5"}, None)


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
    assert take({"rows": 1, "pages": [1]}, False).counts == {"rows": 1, "pages": [1]}
