"""Results as JSON text: they come back as they were; what is no JSON value is refused."""

from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import Rejected
from janitor.jobs.result_texts import MOST_BYTES, decode, encode, show

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(timezone.utc) | st.none())
    | st.times()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
KEYS = st.text() | st.sampled_from(["$date", "$decimal", "$mapping", "$datetime", "$time"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


@given(VALUES)
def test_a_result_comes_back_as_it_was(value: Any) -> None:
    assert decode(encode(value)) == value


def test_types_come_back_too() -> None:
    value = {"day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc), "n": Decimal("1.10")}
    back = decode(encode(value | {"t": time(1, 2), "pair": (1, 2)}))
    assert back == value | {"t": time(1, 2), "pair": [1, 2]}
    assert [type(one) for one in back.values()] == [date, datetime, Decimal, time, list]
    assert str(back["n"]) == "1.10"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": [1, {2}]}, "the result['a'][1] is of type set: a result holds JSON values, dates and decimals"),
        ([b"x"], "the result[0] is of type bytes"),
        ({1: 2}, "the result has the key 1 of type int: keys are texts in JSON"),
        ([float("nan")], "the result[0] is nan, which JSON does not have"),
        (object(), "the result is of type object"),
        ("x" * MOST_BYTES, "the result is 1,048,578 bytes of JSON, and at most 1,048,576 are kept"),
        ("é" * (MOST_BYTES // 2), "the result is 1,048,578 bytes of JSON"),
    ],
)
def test_other_values_and_large_results_are_refused(value: object, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        encode(value)
    assert said in str(caught.value)


def test_a_result_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Rejected, match="levels deep"):
        encode(value)


def test_the_largest_result_is_kept() -> None:
    assert decode(encode("x" * (MOST_BYTES - 2))) == "x" * (MOST_BYTES - 2)


def test_a_result_is_shown_with_dates_as_texts() -> None:
    assert (
        show(encode({"day": date(2026, 1, 2), "n": Decimal("1.10")})) == '{\n  "day": "2026-01-02",\n  "n": "1.10"\n}'
    )
