"""Values of brokers and databases as plain JSON."""

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from janitor.items.inboxes.plain import plain


class Odd:
    """Of no known kind."""

    def __str__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**70, 2**70),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("é", "é"),
        (Decimal("12.50"), "12.50"),
        (datetime(2026, 7, 1, 12, 30, 15, 250_000), "2026-07-01T12:30:15.250000"),
        (datetime(2026, 7, 1, tzinfo=UTC), "2026-07-01T00:00:00+00:00"),
        (date(2026, 7, 1), "2026-07-01"),
        (time(23, 59), "23:59:00"),
        (timedelta(days=1, seconds=1.5), 86401.5),
        ("é".encode(), "é"),
        (b"\xff\x00", "ff00"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ({"a": [1, (Decimal("2"), None)], 3: b"x"}, {"a": [1, ["2", None]], "3": "x"}),
        (Odd(), "odd"),
    ],
)
def test_each_value_has_one_form_in_json(value: Any, said: Any) -> None:
    found = plain(value)
    assert found == said and type(found) is type(said)
    assert json.loads(json.dumps(found, allow_nan=False)) == said
