"""A pipeline of the house: parcels in every state that an item can have, with all that pages show of them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from janitor.items import Item, Step
from janitor.items.ends import Inbox
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import made
from janitor.scheduler import Scheduler
from janitor.state import (
    item_acts,
    item_adding,
    item_claims,
    item_counts,
    item_endings,
    item_letters,
    item_plans,
    item_replies,
)
from janitor.state.item_adding import NewItem
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_plans import Plan
from janitor.state.item_states import LATER, state_of
from janitor.state.item_tables import items

NAME = "parcels"
SECRET = "s3cret-of-the-sender"
"""Kept apart from an item's arguments; on no page."""
ODD = "DN9/ä ?#%..\\x"
"""A key that is hard to put into an address."""
COUNT = 60
OFF = "until the scale is mended"
"""Why its steps take nothing: nothing changes while a test looks."""
TRACEBACK = 'Traceback (most recent call last):\n  File "parcels.py", line 7, in match\nLookupError: no such host\n'
RUN = 1


def weigh(item: Item) -> None:
    """Weigh a parcel."""
    item.result = {"grams": item.args["number"]}


def steps() -> list[Step]:
    """Four steps: two need the first, and the last needs both."""
    return [
        Step("weigh", weigh, enabled=OFF),
        Step("match", weigh, needs={"weigh": "processed"}, failed="no host", retries=2, enabled=OFF),
        Step("photo", weigh, needs=["weigh"], enabled=OFF),
        Step("send", weigh, needs=["match", "photo"], enabled=OFF),
    ]


def add_jobs(scheduler: Scheduler, inboxes: Sequence[Inbox] = ()) -> None:
    """The pipeline's jobs."""
    statuses = {"no host": "error", "few filters": "warning"}
    scheduler.add_pipeline(NAME, steps(), statuses=statuses, inboxes=inboxes, title="Parcels to send")


def pipeline() -> Pipeline:
    """The pipeline, without a clock."""
    return made(NAME, steps(), statuses={"no host": "error", "few filters": "warning"})


def furnish(connection: Connection, now: datetime, says: str = "") -> None:
    """Parcels that came during the last day; `says` stands in every text."""
    plan, began = pipeline().plan, now - timedelta(days=1)
    item_plans.save(connection, plan)
    ids = _add(connection, plan, began, says)
    at = iter(began + timedelta(minutes=minutes) for minutes in range(60, 1440))
    item_counts.save_snapshot(connection, NAME, next(at))
    done = ids[:50]
    end(connection, plan, "weigh", done, next(at), result={"grams": 7, "says": says})
    end(connection, plan, "match", done[:30], next(at))
    end(connection, plan, "match", done[30:36], next(at), "no host", reason=f"no host is near {says}", trace=True)
    end(connection, plan, "match", done[36:40], next(at), "few filters")
    end(connection, plan, "match", done[40:43], next(at), "failed", later=now + timedelta(hours=1), says=says)
    end(connection, plan, "photo", done[:25], next(at))
    end(connection, plan, "send", done[:20], next(at))
    take(connection, plan, "photo", done[25:27], now)
    for place in range(20):
        item_counts.save_snapshot(connection, NAME, now - timedelta(minutes=60 * (20 - place)))
    item_acts.flag(connection, ids[31], f"look at it {says}", "anna", now)
    for number in range(3):
        item_letters.add(connection, NAME, "desk", f"it is no JSON {says}", f"{{{says}", 2, f"DN{number}", now)
    item_replies.add(connection, with_mail(plan), [item_replies.Due(ids[0], key_of(0), {"token": SECRET})], now)


def key_of(number: int) -> str:
    """The key of a parcel."""
    return f"DN{number:04}" if number != 31 else ODD


def take(connection: Connection, plan: Plan, step: str, ids: Sequence[int], at: datetime) -> dict[int, int]:
    """Take parcels for a step; the number of each one's claim."""
    changes = Changes(plan.pipeline)
    found = {one.id: one.claim for one in item_claims.take(connection, plan, step, RUN, ids, at, changes)}
    changes.write(connection)
    assert len(found) == len(ids)
    return found


def end(
    connection: Connection,
    plan: Plan,
    step: str,
    ids: Sequence[int],
    at: datetime,
    status: str = "processed",
    *,
    result: object = None,
    reason: str | None = None,
    trace: bool = False,
    later: datetime | None = None,
    says: str = "",
) -> None:
    """Let a step end for parcels; with `later` it is tried again then."""
    changes, claims = Changes(plan.pipeline), take(connection, plan, step, ids, at)
    ends = [
        End(
            *(item_id, claims[item_id], LATER if later else state_of(plan.kinds[status]), status, at, 1.5, status),
            until=later,
            reason=reason,
            traceback=TRACEBACK if trace else None,
            log=f"12:00:00 INFO parcel on the scale {says}",
            result=None if result is None else json.dumps(result),
        )
        for item_id in ids
    ]
    item_endings.record(connection, plan, step, RUN, ends, at, changes)
    changes.write(connection)


def _add(connection: Connection, plan: Plan, began: datetime, says: str) -> list[int]:
    ids, secrets = [], json.dumps({"token": SECRET})
    for number in range(COUNT):
        at, args = began + timedelta(minutes=number), json.dumps({"number": number, "says": says})
        item_adding.add(connection, plan, [NewItem(key_of(number), args, at, secrets=secrets)], at)
        query = select(items.c.id).where(items.c.pipeline == NAME, items.c.key == key_of(number))
        ids.append(int(connection.execute(query).scalar_one()))
    return ids


def with_mail(plan: Plan) -> Plan:
    return Plan(plan.pipeline, plan.steps, plan.kinds, ("mail",), plan.on_duplicate)
