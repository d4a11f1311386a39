"""A house with a pipeline: the parcels of `tests.state.parcels`, with an inbox `desk` and a way of replying `mail`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from janitor.items import Step
from janitor.items.ends import Sender, Take
from janitor.needs import Need
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, item_letters, item_replies
from janitor.state.item_replies import Due
from janitor.state.item_tables import item_letters as letters_table
from janitor.state.item_tables import item_replies as replies_table
from janitor.state.tables import jobs
from tests.notices.house import NOON, House
from tests.state.parcels import PLAN

LIMITS: dict[str, Any] = {"fails_in_a_row": 3, "waits_seconds": 600.0}


@dataclass(frozen=True)
class Desk:
    """An inbox that nothing comes to by itself."""

    name: str = "desk"
    requires: Sequence[Need] = ()

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        """Fail: no test begins a run of it."""
        raise AssertionError(settings, take)


@dataclass(frozen=True)
class Mail:
    """A way of replying by which nothing goes."""

    name: str = "mail"
    requires: Sequence[Need] = ()
    beat_seconds: float = 0.0

    def open(self, settings: Settings) -> Sender:
        """Fail: no test begins a run of it."""
        raise AssertionError(settings)


def build(scheduler: Scheduler, **schedules: str) -> None:
    """Add the pipeline; `schedules` has those of steps that have one."""
    needs: Mapping[str, Sequence[str]] = {"fetch": (), "match": ("fetch",), "count": ("match",)}
    scheduler.add_pipeline(
        "parcels",
        [Step(name, print, needs=before, schedule=schedules.get(name, "with work")) for name, before in needs.items()],
        statuses={"no host": "error", "few filters": "warning"},
        inboxes=[Desk()],
        replies=[Mail()],
        **LIMITS,
    )


def with_parcels(house: House, **schedules: str) -> House:
    """Let a house have the jobs of the pipeline, long known."""
    scheduler = Scheduler(house.runner.settings)
    build(scheduler, **schedules)
    house.jobs.update(scheduler.jobs)
    known = {"schedule": "with work", "enabled": True, "enabled_at": NOON - timedelta(days=1)}
    with house.runner.state.begin() as connection:
        connection.execute(insert(jobs), [{"id": job, **known} for job in scheduler.jobs])
    return house


def bury(state: State, at: datetime, *reasons: str, inbox: str = "desk") -> list[int]:
    """Add dead letters; their ids."""
    with state.begin() as connection:
        for reason in reasons:
            item_letters.add(connection, "parcels", inbox, reason, "{", 1, None, at)
        ids = connection.execute(select(letters_table.c.id).order_by(letters_table.c.id.desc()).limit(len(reasons)))
        return list(ids.scalars())[::-1]


def owe(state: State, at: datetime, *keys: str, tries: int = 0, **more: Any) -> list[int]:
    """Add replies that were tried so often, and put off until `due_at`; their ids."""
    with state.begin() as connection:
        item_replies.add(connection, PLAN, [Due(None, key, None) for key in keys], at)
        newest = select(replies_table.c.id).order_by(replies_table.c.id.desc()).limit(len(keys))
        ids = list(connection.execute(newest).scalars())[::-1]
        values = {"tries": tries, "reason": "nobody is there" if tries else None, **more}
        connection.execute(update(replies_table).where(replies_table.c.id.in_(ids)).values(values))
    return ids


def give_up(state: State, ids: Sequence[int], at: datetime, reason: str) -> None:
    """Give replies up."""
    with state.begin() as connection:
        assert item_replies.give_up(connection, "parcels", ids, at, reason) == len(ids)
