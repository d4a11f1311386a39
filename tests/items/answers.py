"""Answers to send, and a result that lies in a store, for the tests of replies."""

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from janitor.items.ends import Answer

ENDED_AT = datetime(2026, 7, 1, 12, 30, 1, 250_000, tzinfo=timezone.utc)
TOKEN = "Bearer token-of-a-person"


def answer(key: str = "K7", **changes: Any) -> Answer:
    """What came of an item that ended well; `changes` are other fields."""
    made = Answer(
        id="analyses-41",
        pipeline="analyses",
        key=key,
        status="processed",
        kind="ok",
        reason=None,
        code=None,
        is_late=False,
        args={"experimentId": "E5", "Authorization": TOKEN},
        results={"compute": {"cells": 3}},
        envelope={},
        ended_at=ENDED_AT,
    )
    return replace(made, **changes)


FAILURE: dict[str, Any] = {
    "status": "too few cells",
    "kind": "error",
    "reason": "it has 2 größe cells",
    "code": "E7",
    "results": {},
}


@dataclass(frozen=True)
class Kept:
    """A result in a store."""

    content: bytes
    address: str = "s3://results/K7"

    def read(self, most: int) -> bytes | None:
        """Its bytes; None if it has more than `most`."""
        return self.content if len(self.content) <= most else None
