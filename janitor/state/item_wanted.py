"""What is wanted of items, and where it is found: whatever is asked, what is read is about what is found.

what is asked            where it is found
a key                    the item itself
flagged                  what people have flagged
few keys begin so        these keys
a step, or a status      the range of the step's index with that state; a status passes over the others of its state
the item's state         open: by id; done or failed: the last that ended comes first
many keys begin so       by key
nothing                  by id
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from janitor.errors import BadSetting
from janitor.state import item_plans
from janitor.state.item_plans import Plan, lane_of
from janitor.state.item_ranges import Range
from janitor.state.item_states import (
    BLOCKED,
    DONE,
    FAILED,
    GOING_ON,
    IN_PROCESS,
    LATER,
    LEFT_OUT,
    NAMES,
    NOT_PROCESSED,
    OPEN,
    PROCESSING,
    READY,
    WAITING,
    state_of,
)
from janitor.state.item_tables import item_steps, items

OF_ITEMS = {"open": OPEN, "done": DONE, "failed": FAILED}
"""The states of a whole item, by name."""
OF_STEPS = {name: (state,) for state, name in enumerate(NAMES)} | {"open": GOING_ON}
"""The states of a step, by name."""
FEW_KEYS = 1_000
"""Of so many keys that begin alike each is looked at."""
IN_ORDER = (item_steps.c.rank, item_steps.c.sort_at, item_steps.c.item_id)
"""The order of a step's rows with one state."""


@dataclass(frozen=True)
class Wanted:
    """Which items of a pipeline are meant: those for which all that is given holds.

    `state` is one of open, done and failed, of the item or, with a `step`, of that step; or one of waiting, ready,
    later, processing, blocked and left out, of that step or of any. `status` is of that step, or of any. `key` is a
    whole key, or with a `*` at its end how keys begin. `flagged` are those with a flag that nobody has resolved.
    """

    pipeline: str
    step: str | None = None
    status: str | None = None
    state: str | None = None
    key: str | None = None
    flagged: bool = False

    @property
    def has_lone_step(self) -> bool:
        """Whether a step is given, and neither a state nor a status at it: all items have the step."""
        return self.step is not None and self.state is None and self.status is None

    @property
    def is_whole(self) -> bool:
        """Whether all items of the pipeline are meant."""
        return not (self.step or self.status or self.state or self.key or self.flagged)

    def told(self) -> str:
        """What is meant, for people."""
        parts = (("step", self.step), ("status", self.status), ("state", self.state), ("key", self.key))
        said = [f"{name} {value!r}" for name, value in parts if value is not None]
        return ", ".join([*said, *(["flagged"] if self.flagged else [])]) or "all"


@dataclass(frozen=True)
class OfStep:
    """What is asked of an item's steps: one of these has one of these states, and the status if it is given."""

    pipeline: str
    names: Sequence[str]
    states: Sequence[int]
    status: str | None

    def is_so(self) -> ColumnElement[bool]:
        """Whether it is so of an item, in a query of items that are found by something else."""
        own = select(item_steps.c.step).where(item_steps.c.item_id == items.c.id, item_steps.c.step.in_(self.names))
        own = own.where(item_steps.c.state.in_(self.states))
        own = own if self.status is None else own.where(item_steps.c.status == self.status)
        return own.limit(1).scalar_subquery().is_not(None)

    def ranges(self, of_item: Sequence[ColumnElement[bool]]) -> list[Range]:
        """A range for each step and state; `of_item` is what is asked of the item besides."""
        # In a join, a server might begin with the items.
        whole = select(items.c.id).where(items.c.id == item_steps.c.item_id, *of_item).scalar_subquery()
        more = (whole.is_not(None),) if of_item else ()
        status = {} if self.status is None else {"status": self.status}
        return [
            Range(
                item_steps,
                "item_steps_due",
                item_steps.c.item_id,
                IN_ORDER,
                {"lane": lane, "state": state} | status,
                more,
            )
            for lane in (lane_of(self.pipeline, name) for name in self.names)
            for state in self.states
        ]


def of_step(connection: Connection, wanted: Wanted) -> OfStep | None:
    """What is asked of the item's steps; None if nothing is."""
    if wanted.state is not None and wanted.state not in OF_STEPS:
        raise BadSetting("the state", wanted.state, f"give one of {', '.join(sorted(OF_STEPS))}")
    is_of_item = wanted.state is None or (wanted.step is None and wanted.state in OF_ITEMS)
    if is_of_item and wanted.status is None:
        return None
    plan = item_plans.load(connection, wanted.pipeline)
    named = [wanted.step] if wanted.step is not None else [] if plan is None else [one.name for one in plan.steps]
    states: Sequence[int] = range(len(NAMES)) if is_of_item or wanted.state is None else OF_STEPS[wanted.state]
    if wanted.status is not None:
        states = [state for state in _states_with(plan, wanted.status) if state in states]
    return OfStep(wanted.pipeline, named, states, wanted.status)


def _states_with(plan: Plan | None, status: str) -> Sequence[int]:
    """The states in which a step can have a status."""
    if status == NOT_PROCESSED:
        return WAITING, READY, LATER, BLOCKED, LEFT_OUT
    if status == IN_PROCESS:
        return (PROCESSING,)
    kind = None if plan is None else plan.kinds.get(status)
    return (DONE, FAILED) if kind is None else (state_of(kind),)


def of_item(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is asked of the item itself, beside its pipeline."""
    found = [] if wanted.key is None else _keys(wanted.key)
    if wanted.flagged:
        found += [items.c.flagged_at.is_not(None), items.c.resolved_at.is_(None)]
    if wanted.state in OF_ITEMS and wanted.step is None:
        found.append(items.c.state == OF_ITEMS[wanted.state])
    return found


def _keys(key: str) -> list[ColumnElement[bool]]:
    prefix, star, rest = key.partition("*")
    if not star:
        return [items.c.key == key]
    if rest:
        raise BadSetting("the key", key, "give a whole key, or how keys begin and a * at its end")
    if not prefix:
        return []
    # Halves of characters are no characters, and no key has them.
    above = 0xE000 if prefix[-1] == "\ud7ff" else min(ord(prefix[-1]) + 1, 0x10FFFF)
    return [items.c.key >= prefix, items.c.key < prefix[:-1] + chr(above)]


def ranges(connection: Connection, wanted: Wanted) -> list[Range]:
    """Where what is wanted is found: see the map above."""
    asked, own = of_step(connection, wanted), of_item(wanted)
    both = own if asked is None else [*own, asked.is_so()]
    keys = [] if wanted.key is None else _keys(wanted.key)
    if keys and ("*" not in (wanted.key or "") or _are_few(connection, wanted.pipeline, keys)):
        return [_by_id("one_item_per_key", wanted, both)]
    if wanted.flagged:
        return [_by_id("items_flagged", wanted, both)]
    if asked is not None:
        return asked.ranges(own)
    if wanted.state == "open":
        return [_by_id("items_by_state", wanted, [*own, items.c.ended_at.is_(None)])]
    if wanted.state is not None:
        return [_by("items_by_state", (items.c.ended_at, items.c.id), wanted, own)]
    if keys:
        return [_by("one_item_per_key", (items.c.key,), wanted, own)]
    # Along an index whose rows without a flag stand in the order of their ids. Flags are few.
    return [
        _by_id("items_flagged", wanted, [flag])
        for flag in (items.c.flagged_at.is_(None), items.c.flagged_at.is_not(None))
    ]


def _are_few(connection: Connection, pipeline: str, keys: Sequence[ColumnElement[bool]]) -> bool:
    return _by_id("one_item_per_key", Wanted(pipeline), keys).count(connection, FEW_KEYS + 1) <= FEW_KEYS


def _by_id(index: str, wanted: Wanted, more: Sequence[ColumnElement[bool]]) -> Range:
    return _by(index, (items.c.id,), wanted, more)


def _by(
    index: str, order: tuple[ColumnElement[Any], ...], wanted: Wanted, more: Sequence[ColumnElement[bool]]
) -> Range:
    return Range(items, index, items.c.id, order, {"pipeline": wanted.pipeline}, tuple(more))
