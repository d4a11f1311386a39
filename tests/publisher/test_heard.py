"""Values as JSON can hold them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from janitor.publisher.heard import as_json


def test_instants_become_texts_and_naive_ones_are_utc() -> None:
    paris = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert as_json([paris, datetime(2026, 7, 1, 12), paris.astimezone(UTC)]) == [
        "2026-07-01T12:00:00+02:00",
        "2026-07-01T12:00:00+00:00",
        "2026-07-01T10:00:00+00:00",
    ]


def test_every_value_can_be_written_as_json() -> None:
    given = {1: (b"caf\xc3\xa9", b"\xff"), "price": Decimal("1.10"), "plain": [None, True, 7, 0.5, "ü"]}
    found = as_json(given)
    assert found == {"1": ["café", "\ufffd"], "price": "1.10", "plain": [None, True, 7, 0.5, "ü"]}
    assert json.loads(json.dumps(found)) == found
