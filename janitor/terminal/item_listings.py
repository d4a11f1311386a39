"""What the verbs of items tell, as plain rows: computed here, printed elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Row as Record

from janitor.jobs import json_texts
from janitor.jobs.result_texts import show
from janitor.state import (
    item_counts,
    item_endings,
    item_letters,
    item_plans,
    item_replies,
    item_search,
    item_standing,
    item_states,
)
from janitor.state.item_counts import EVER, OF_INBOXES, OF_ITEMS, OF_REPLIES, Count
from janitor.state.item_plans import Plan, lane_of
from janitor.state.item_search import Wanted
from janitor.state.item_states import NOT_PROCESSED

Row = dict[str, Any]

PIPELINES = {
    "pipeline": "pipeline",
    "step": "step",
    "state": "state",
    "status": "status",
    "number": "number",
    "oldest_at": "oldest since (UTC)",
}
ITEMS = {
    "key": "key",
    "state": "state",
    "added_at": "added (UTC)",
    "ended_at": "ended (UTC)",
    "steps": "steps",
    "flag": "flag",
}
LETTERS = {
    "letter": "id",
    "pipeline": "pipeline",
    "inbox": "inbox",
    "at": "at (UTC)",
    "key": "key",
    "bytes": "bytes",
    "reason": "reason",
}
OTHERS = {OF_INBOXES: "inboxes", OF_REPLIES: "replies"}
"""What is counted of a pipeline beside its items and steps."""


def of_pipelines(connection: Connection) -> list[Row]:
    """How many items of each pipeline are in which state as a whole, and at each step; and since when the first waits.

    The counts of whole items have no step.
    """
    counts = item_counts.read(connection)
    plans = {name: item_plans.load(connection, name) for name in item_plans.names(connection)}
    lanes = [plan.lane(step.name) for plan in plans.values() if plan is not None for step in plan.steps]
    oldest = item_search.oldest_waiting(connection, lanes)
    return [_count(one, oldest) for name, plan in plans.items() for one in _in_order(name, plan, counts)]


def _in_order(pipeline: str, plan: Plan | None, counts: Iterable[Count]) -> list[Count]:
    """The counts of a pipeline: whole items first, then the steps in their order, then messages and replies."""
    steps = [] if plan is None else [step.name for step in plan.steps]
    places = {name: place for place, name in enumerate([OF_ITEMS, *steps])}
    own = [one for one in counts if one.pipeline == pipeline and one.state != EVER]
    last = len(places) + 1
    return sorted(own, key=lambda one: (places.get(one.step, last + (one.step in OTHERS)), one.step, one.state))


def _count(one: Count, oldest: Mapping[str, datetime]) -> Row:
    named = one.step not in OTHERS
    state = item_states.name_of_item(one.state) if one.step == OF_ITEMS else item_states.NAMES[one.state]
    is_first = one.state == item_states.READY and named
    return {
        "pipeline": one.pipeline,
        "step": OTHERS.get(one.step, one.step) or None,
        "state": state if named else None,
        "status": None if one.step == OF_ITEMS else one.status,
        "number": one.number,
        "oldest_at": oldest.get(lane_of(one.pipeline, one.step)) if is_first else None,
    }


def of_items(connection: Connection, wanted: Wanted, limit: int) -> list[Row]:
    """Items that are wanted, the newest first, each with its steps."""
    found = item_search.find(connection, wanted, limit=limit)
    steps = item_search.steps(connection, [record.id for record in found])
    plan = item_plans.load(connection, wanted.pipeline)
    return [_item(record, _steps(plan, steps.get(record.id, []))) for record in found]


def _item(record: Record[Any], steps: Sequence[Row]) -> Row:
    return {
        **{str(name): value for name, value in record._mapping.items() if name not in ("args", "envelope")},
        "state": item_states.name_of_item(record.state),
        "steps": steps,
        "done": item_standing.share_done([item_states.NAMES.index(step["state"]) for step in steps]),
    }


def in_words(row: Row) -> Row:
    """An item with its steps as a text for people."""
    # A step that has not begun has a state that says more than its status.
    told = [f"{one['step']}: {one['state' if one['status'] == NOT_PROCESSED else 'status']}" for one in row["steps"]]
    return row | {"steps": ", ".join(told), "flag": None if row["resolved_at"] else row["flag"]}


def _steps(plan: Plan | None, records: Iterable[Record[Any]]) -> list[Row]:
    """The steps of an item in the order of the plan; those that it does not have any more come last."""
    names = [] if plan is None else [step.name for step in plan.steps]
    rows = [
        {
            "step": record.step,
            "state": item_states.NAMES[record.state],
            "status": record.status,
            "since_at": record.since_at,
            "tries": record.tries,
            "deaths": record.deaths,
            "run": record.run_id,
            "next_try_at": record.sort_at if record.state == item_states.LATER else None,
        }
        for record in records
    ]
    return sorted(rows, key=lambda row: names.index(row["step"]) if row["step"] in names else len(names))


def details(connection: Connection, pipeline: str, key: str, attempts: int = 100) -> Row | None:
    """All that is known of an item but its secrets; None if there is no such item. The newest attempt comes last."""
    record = item_search.one(connection, pipeline, key)
    if record is None:
        return None
    plan = item_plans.load(connection, pipeline)
    rows = item_search.steps(connection, [record.id]).get(record.id, [])
    tried = item_search.attempts(connection, record.id, attempts)
    results = item_endings.results_of(connection, record.id)
    return {
        **_item(record, _steps(plan, rows)),
        "args": json_texts.read(record.args),
        "envelopes": json_texts.read(record.envelope) or [],
        "results": {step: json_texts.read(show(text)) for step, text in results.items()},
        "attempts": [_renamed(one, run_id="run") for one in reversed(tried)],
        "replies": [_reply(one) for one in reversed(item_replies.of_item(connection, record.id))],
    }


def _reply(record: Record[Any]) -> Row:
    return {
        "reply": record.id,
        "to": record.lane.partition(".")[2],
        "state": item_replies.NAMES[record.state],
        "added_at": record.added_at,
        "due_at": record.due_at if record.state == item_replies.DUE else None,
        "ended_at": record.ended_at,
        "tries": record.tries,
        "reason": record.reason,
    }


def of_letters(connection: Connection, pipeline: str | None, limit: int) -> list[Row]:
    """The dead letters of a pipeline, or of all; the newest first."""
    names = item_plans.names(connection) if pipeline is None else [pipeline]
    found = [record for name in names for record in item_letters.find(connection, name, limit=limit)]
    return list(_letters(sorted(found, key=lambda record: record.id, reverse=True)[:limit]))


def _letters(records: Iterable[Record[Any]]) -> Iterator[Row]:
    for record in records:
        row = _renamed(record, id="letter")
        yield {name: row[name] for name in row if not name.startswith("dropped")} | {
            "is_whole": item_letters.is_whole(record)
        }


def _renamed(record: Record[Any], **names: str) -> Row:
    return {names.get(name, name): value for name, value in record._mapping.items()}
