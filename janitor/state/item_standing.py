"""Where an item stands as a whole: the worst status of its steps, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.state.item_states import BLOCKED, DONE, FAILED, LEFT_OUT, PROCESSED
from janitor.state.item_tables import item_attempts, item_steps, items

ORDER = {"error": 0, "warning": 1, "ok": 2}


@dataclass(frozen=True)
class OfStep:
    """One step's state and status, and the reason and the code of its newest attempt."""

    step: str
    state: int
    status: str
    reason: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class OfItem:
    """An item with its steps."""

    id: int
    key: str
    args: str
    state: int
    ended_at: datetime | None
    is_late: bool
    steps: Sequence[OfStep]


@dataclass(frozen=True)
class Worst:
    """The worst status of an item's steps, its kind and reason, and a code for whoever asked: else the status."""

    status: str
    kind: str
    reason: str | None
    code: str | None


def of_item(connection: Connection, item_id: int) -> OfItem | None:
    """An item as it stands; None if it is gone."""
    row = connection.execute(select(items).where(items.c.id == item_id)).one_or_none()
    if row is None:
        return None
    newest = _newest(connection, item_id)
    steps = connection.execute(select(item_steps).where(item_steps.c.item_id == item_id).order_by(item_steps.c.step))
    return OfItem(
        row.id,
        row.key,
        row.args,
        row.state,
        row.ended_at,
        row.expires_at is not None and row.ended_at is not None and row.ended_at > row.expires_at,
        [OfStep(step.step, step.state, step.status, *newest.get(step.step, ())) for step in steps],
    )


def worst(steps: Sequence[OfStep], kinds: Mapping[str, str]) -> Worst:
    """The worst status; of several that are as bad, that of the first step. A blocked step has none of its own."""
    ended = [step for step in steps if step.state in (DONE, FAILED)]
    found = min(ended, key=lambda step: ORDER[_kind(step, kinds)], default=None)
    if found is None:
        return Worst(PROCESSED, "ok", None, None)
    kind = _kind(found, kinds)
    return Worst(found.status, kind, found.reason, (found.code or found.status) if kind == "error" else None)


def share_done(states: Sequence[int]) -> float:
    """How much of an item is done, from 0 to 1; what was left out counts as done, what failed or is blocked not."""
    return sum(state in (DONE, LEFT_OUT) for state in states) / len(states) if states else 1.0


def is_blocked(states: Sequence[int]) -> bool:
    """Whether a step of an item can never be taken, as the item stands."""
    return BLOCKED in states


def _kind(step: OfStep, kinds: Mapping[str, str]) -> str:
    return kinds.get(step.status, "error" if step.state == FAILED else "ok")


def _newest(connection: Connection, item_id: int) -> dict[str, tuple[str | None, str | None]]:
    """The reason and the code of each step's newest attempt."""
    columns: tuple[Any, ...] = (item_attempts.c.step, item_attempts.c.reason, item_attempts.c.code)
    query = select(*columns).where(item_attempts.c.item_id == item_id).order_by(item_attempts.c.id)
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return {row.step: (row.reason, row.code) for row in rows}
