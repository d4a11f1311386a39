"""An item as its step sees it, and the item that this code is working on."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from janitor.errors import JanitorError
from janitor.items.texts import value_of
from janitor.jobs.result_texts import decode
from janitor.state.item_claims import Claimed, envelopes_of

__all__ = ["Item", "current_item"]


@dataclass(eq=False)
class Item:
    """One piece of work, as its step sees it.

    - `pipeline`, `step`, `key`, `id`: what it is, and where. The id is of the state database alone.
    - `args`: its arguments, as they were given in JSON.
    - `results`: what each step before has left, by step; JSON values, dates and decimals.
    - `result`: what this step leaves, None for nothing. Set it.
    - `priority`, `order_at`, `added_at`, `expires_at`: when it is to be taken.
    - `attempt`: 1 for the first try, and 1 more for each failed try before.
    - `times`: 1, and 1 more each time that all of it was to be done anew.
    - `envelope`: whom to answer, as its inbox gave it; empty without an inbox.
    - `secrets`: what its inbox kept apart; nobody else sees it, and it is gone once the item has ended.
    """

    pipeline: str
    step: str
    key: str
    args: Mapping[str, Any]
    id: int = 0
    results: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    priority: int = 0
    order_at: datetime | None = None
    added_at: datetime | None = None
    expires_at: datetime | None = None
    attempt: int = 1
    times: int = 1
    envelope: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pipeline: str, step: str, claimed: Claimed) -> "Item":
        """The item that a run holds."""
        return cls(
            pipeline,
            step,
            claimed.key,
            value_of(claimed.args),
            claimed.id,
            Results(claimed.results),
            priority=claimed.priority,
            order_at=claimed.order_at,
            added_at=claimed.added_at,
            expires_at=claimed.expires_at,
            attempt=claimed.tries + 1,
            times=claimed.times,
            envelope={} if claimed.envelope is None else next(iter(envelopes_of(claimed.envelope)), {}),
            secrets={} if claimed.secrets is None else json.loads(claimed.secrets),
        )


def secrets_in(claimed: Claimed) -> list[str]:
    """The texts of an item's secrets, however deep they lie."""
    found: list[str] = []
    try:
        left: list[Any] = [] if claimed.secrets is None else [json.loads(claimed.secrets)]
    except ValueError:  # somebody has changed them by hand
        left = [claimed.secrets]
    while left:
        value = left.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (dict, list)):
            left += value.values() if isinstance(value, dict) else value
    return found


class Results(Mapping[str, Any]):
    """What steps have left, read from JSON when it is asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, step: str) -> Any:
        return self._decoded[step] if step in self._decoded else self._read(step)

    def _read(self, step: str) -> Any:
        value = self._decoded[step] = decode(self._texts[step])
        return value

    @cached_property
    def _decoded(self) -> dict[str, Any]:
        return {}

    def __iter__(self) -> Any:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


working_on: ContextVar[Item | None] = ContextVar("janitor_item", default=None)


def current_item() -> Item:
    """The item that this code is working on.

    Raises:
        JanitorError: the code is part of no step.
    """
    item = working_on.get()
    if item is None:
        raise JanitorError("this code works on no item: call it from a step of a pipeline")
    return item
