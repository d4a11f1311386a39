"""Adding items from a task: `items.add("transients", "AT2026abc", ra=10.5, dec=-3.2)`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from janitor.errors import BadSetting
from janitor.items import waking
from janitor.items.handing import Handing
from janitor.items.pipeline import Pipeline
from janitor.items.texts import json_text
from janitor.items.writing import in_turn
from janitor.jobs.result_texts import MOST_BYTES
from janitor.memory.access import state_of
from janitor.runs import Run, current_run
from janitor.runs.bounds import listed, listed_near
from janitor.state import State, item_adding, item_plans
from janitor.state.item_adding import DUPLICATES, MOST_KEY, Added, NewItem
from janitor.state.item_plans import Plan

__all__ = ["New", "add", "add_all"]

FIRST, LAST = -(2**31), 2**31 - 1
"""The least and the largest priority."""
NO_PIPELINES = "there are none yet: `start` makes those of run.py and the jobs file"


@dataclass(frozen=True)
class New:
    """An item to add with `add_all`; what is left out is as for `add`."""

    key: str
    args: Mapping[str, Any] = field(default_factory=dict)
    order_at: datetime | None = None
    priority: int = 0
    expires_at: datetime | None = None


def add(
    pipeline: str,
    key: str,
    *,
    order_at: datetime | None = None,
    priority: int = 0,
    expires_at: datetime | None = None,
    on_duplicate: str | None = None,
    **args: Any,
) -> bool:
    """Add an item to a pipeline, committed when this returns; whether its key is new.

    `args` are the item's arguments: JSON values. The oldest `order_at` goes first, the moment of adding if None; of a
    larger `priority` before all others. What is past `expires_at` is not begun. `on_duplicate` says what becomes of a
    key that is there: `ignore`, `change` (arguments and order), `anew` (all its steps, too), `reply`; as the pipeline
    says if None. In a dry run nothing is added. Call it from a task, or from a step.

    Raises:
        BadSetting: there is no such pipeline, or a value cannot be kept.
        Fenced: another process has taken this run's job over.
        Unavailable, Rejected: the state database is away or says no.
    """
    return add_all(pipeline, [New(key, args, order_at, priority, expires_at)], on_duplicate=on_duplicate) == 1


def add_all(pipeline: str, news: Iterable[New], *, on_duplicate: str | None = None) -> int:
    """Add many items, each as `add` does, a few hundred in one transaction; how many keys are new.

    Raises:
        BadSetting, Fenced, Unavailable, Rejected: as `add` does. What was committed before stays.
    """
    run = current_run()
    state = state_of(run)
    now, added = state.clock.now(), 0
    made = [new_item(new, now, on_duplicate) for new in news]
    if run.dry_run:
        return 0
    for at in range(0, len(made), item_adding.TOGETHER):
        run.check()
        added += write(state, pipeline, made[at : at + item_adding.TOGETHER], run).new
    return added


def write(state: State, pipeline: str, news: list[NewItem], run: Run | None = None) -> Added:
    """Add items in one transaction, under the leases of a run, and tell whoever waits for them.

    Raises:
        BadSetting: there is no such pipeline.
    """
    fences = () if run is None else tuple(run.fences.values())
    with Handing.of_added(state, pipeline, len(news)) as handing:

        def add(connection: Connection) -> Added:
            plan, now = plan_of(connection, pipeline), state.clock.now()
            return item_adding.add(connection, plan, news, now, partial(handing.take, connection, plan, now))

        added = in_turn(state, fences, add, handing)
        waking.wake(handing.left(added.ready))
    return added


def keep_new_plans(state: State, pipelines: Iterable[Pipeline]) -> None:
    """Keep the plans of pipelines that no daemon has had yet, so that items can be added before the first start.

    A plan that is there stays as it is: a daemon may go by it.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
    """
    plans = [pipeline.plan for pipeline in pipelines]
    if not plans:
        return
    with state.read() as connection:
        known = set(item_plans.names(connection))
    new = [plan for plan in plans if plan.pipeline not in known]
    if new:
        with state.begin() as connection:
            for plan in new:
                item_plans.save(connection, plan)


def plan_of(connection: Connection, pipeline: str) -> Plan:
    """The plan of a pipeline.

    Raises:
        BadSetting: no daemon has had such a pipeline; the error tells all that there are.
    """
    plan = item_plans.load(connection, pipeline)
    if plan is None:
        names = item_plans.names(connection)
        known = f"the pipelines are {listed_near(pipeline, names)}" if names else NO_PIPELINES
        raise BadSetting("pipeline", pipeline, f"there is no such pipeline; {known}")
    return plan


def check_step(plan: Plan, step: str, name: str = "STEP") -> str:
    """The name of a step; `name` is what an error calls it.

    Raises:
        BadSetting: the pipeline has no such step; the error tells all.
    """
    names = [one.name for one in plan.steps]
    if step not in names:
        raise BadSetting(name, step, f"{plan.pipeline} has no such step; its steps are {listed(names, 20)}")
    return step


def new_item(
    new: New,
    now: datetime,
    on_duplicate: str | None = None,
    origin: str = "add",
    envelope: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
) -> NewItem:
    """What is written of an item.

    Raises:
        BadSetting: a value cannot be kept; the error names it.
    """
    check_key(new.key)
    if on_duplicate is not None and on_duplicate not in DUPLICATES:
        raise BadSetting("on_duplicate", on_duplicate, f"give one of {', '.join(DUPLICATES)}")
    priority: object = new.priority
    if isinstance(priority, bool) or not isinstance(priority, int) or not FIRST < priority <= LAST:
        raise BadSetting("priority", new.priority, "give a whole number, such as 0; a larger one goes first")
    moments: dict[str, Any] = {"order_at": new.order_at, "expires_at": new.expires_at}
    for name, moment in moments.items():
        if moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
            raise BadSetting(name, moment, "give a datetime with a zone, such as datetime.now(timezone.utc)")
    if not isinstance(new.args, Mapping):
        raise BadSetting("args", new.args, "give a mapping from names to JSON values")
    return NewItem(
        key=new.key,
        args=json_text("args", new.args, MOST_BYTES),
        order_at=new.order_at or now,
        priority=new.priority,
        expires_at=new.expires_at,
        origin=origin,
        envelope=envelope,
        secrets=json_text("secrets", secrets, MOST_BYTES) if secrets else None,
        on_duplicate=on_duplicate,
    )


def check_key(key: object) -> None:
    """Refuse what cannot be the key of an item.

    Raises:
        BadSetting: it is no text, is empty or too long, or has characters that cannot be shown.
    """
    if not isinstance(key, str) or not key.strip():
        raise BadSetting("key", key, "give a text that is not empty")
    if len(key) > MOST_KEY:
        raise BadSetting("key", key, f"it has {len(key):,} characters: give {MOST_KEY} at most")
    if not key.isprintable() or key != key.strip():
        raise BadSetting("key", key, "give a text without line feeds, other control characters, or blanks at its ends")


def in_seconds(now: datetime, seconds: float) -> datetime:
    """The moment in so many seconds."""
    return now + timedelta(seconds=seconds)
