"""What the statements of items read: none reads a table from end to end, and none reads more as more items are there.

Given: many items, of which most have ended.
What happens: they are looked for, claimed, changed and deleted; each statement is explained, and what it reads counted.
What must hold: what is read is about what is found.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from janitor.state import (
    State,
    item_acts,
    item_adding,
    item_claims,
    item_counts,
    item_due,
    item_endings,
    item_letters,
    item_old,
    item_replies,
    item_search,
)
from janitor.state.item_adding import NewItem
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_old import OldItems
from janitor.state.item_search import Wanted
from janitor.state.item_states import DONE
from janitor.state.item_tables import item_snapshots
from tests.explained import noted, scans
from tests.small_engine import DATABASES, empty_state, migrated
from tests.state.parcels import NOW, PLAN, RUN, SECOND, STEPS, Work, fill

FEW, MANY = 1_200, 9_600
"""Both are more than the keys that a search sorts by when they ended."""
SMALL = {"item_counts", "item_pipelines", "item_snapshots"}
"""Tables that are summed up or thinned, and that of the pipelines."""
OWN_PARTS = {f"anon_{number}" for number in range(1, 100)} | {"found", "json_each", "given"}
"""How queries and lists within a statement are called."""
LANES = [PLAN.lane(name) for name in STEPS]
Call = Callable[[Connection, int], Any]


def wanted(**given: Any) -> Call:
    """Find a page, the next, the first ids, and count a few."""

    def call(connection: Connection, number: int) -> Any:
        asked = Wanted("parcels", **given)
        page = item_search.find(connection, asked, limit=20)
        item_search.find(connection, asked, after=page[-1].id, limit=20)
        walk = item_search.Walk(asked)
        ids = walk.next(connection, 20)
        walk.next(connection, 20)
        item_search.among(connection, asked, ids)
        return item_search.count(connection, asked, most=20)

    return call


FINDING: dict[str, Call] = {
    "all": wanted(),
    "open": wanted(state="open"),
    "done": wanted(state="done"),
    "failed": wanted(state="failed"),
    "flagged": wanted(flagged=True),
    "key": wanted(key="DN0000001"),
    "few keys": wanted(key="DN000000*"),
    "few keys that failed": wanted(key="DN000000*", status="no host"),
    "keys": wanted(key="DN*"),
    "ready": wanted(state="ready"),
    "later": wanted(step="fetch", state="later"),
    "waiting": wanted(step="match", state="waiting"),
    "blocked": wanted(state="blocked"),
    "done at a step": wanted(step="count", state="done"),
    "a status": wanted(status="processed"),
    "a status of keys": wanted(step="count", status="processed", key="DN*"),
    "not processed": wanted(status="not processed"),
    "steps": lambda connection, number: item_search.steps(connection, range(1, 20)),
    "attempts": lambda connection, number: item_search.attempts(connection, 3),
    "oldest waiting": lambda connection, number: item_search.oldest_waiting(connection, LANES),
    "letters": lambda connection, number: item_letters.find(connection, "parcels", after=number // 10, limit=5),
    "replies": lambda connection, number: item_replies.of_item(connection, 5),
    "due steps": lambda connection, number: item_due.steps(connection, LANES, late(number)),
    "due replies": lambda connection, number: item_due.replies(connection, [PLAN.lane("mail")], late(number)),
    "look": lambda connection, number: item_claims.look(connection, "parcels.fetch", 20),
    "look after": lambda connection, number: item_claims.look(connection, "parcels.fetch", 20, place(number)),
    "expired": lambda connection, number: item_claims.has_expired(connection, "parcels", late(number)),
    "later tries": lambda connection, number: item_claims.has_later(connection, "parcels.fetch", late(number)),
    "old": lambda connection, number: item_old.old(connection, "parcels", late(number), late(number), 20),
}


def late(number: int) -> datetime:
    """A moment at which everything is due, and old."""
    return NOW + 2 * number * SECOND


def place(number: int) -> tuple[int, datetime, int]:
    """Where an item stands that is not far from the last."""
    item_id = number - 60
    return 0, NOW + item_id * SECOND, item_id


def record(connection: Connection, number: int) -> None:
    """Take some items, and record what came of them."""
    changes = Changes("parcels")
    ids = item_claims.look(connection, "parcels.fetch", 20).ids
    taken = item_claims.take(connection, PLAN, "fetch", RUN, ids, NOW, changes)
    assert len(taken) == 20
    facts: dict[str, Any] = {"status": "processed", "started_at": NOW, "seconds": 1.0, "told": "processed"}
    ends = [End(one.id, one.claim, DONE, result="{}", **facts) for one in taken[:10]]
    item_endings.record(connection, PLAN, "fetch", RUN, ends, NOW, changes)
    item_claims.let_go(connection, PLAN, "fetch", {one.id: one.claim for one in taken[10:15]}, NOW)
    item_claims.release_dead(connection, PLAN, "fetch", RUN + 1, 1, NOW)


def reply(connection: Connection, number: int) -> None:
    """Write replies, take them, and let them go again."""
    item_replies.of_ended(connection, PLAN, [1, 2, 3], NOW)
    rows = item_replies.take(connection, PLAN.lane("mail"), NOW, 20)
    item_replies.note_sent(connection, "parcels", [row.id for row in rows[:1]], NOW)
    item_replies.put_off(connection, rows[1].id, NOW + SECOND, "nobody is there")
    item_replies.give_up(connection, "parcels", [rows[2].id], NOW, "nobody is there")


def add(connection: Connection, number: int) -> None:
    """Add items that are new, and that are there already."""
    news = [
        NewItem(f"DN{at:07}", "{}", NOW, on_duplicate="anew") for at in (*range(1, 20), *range(number, number + 20))
    ]
    item_adding.add(connection, PLAN, news, NOW)


CHANGING: dict[str, Call] = {
    "record": record,
    "reply": reply,
    "add": add,
    "promote": lambda connection, number: item_claims.promote(connection, PLAN, "fetch", NOW + number * SECOND, 5),
    "expire": lambda connection, number: item_claims.expire(connection, PLAN, late(number)),
    "retry": lambda connection, number: item_acts.retry(connection, PLAN, range(1, 60), NOW),
    "reset": lambda connection, number: item_acts.reset(connection, PLAN, [61, 62], "match", NOW),
    "reprocess": lambda connection, number: item_acts.reprocess(connection, PLAN, [61, 62, 63], NOW),
    "flag": lambda connection, number: item_acts.flag(connection, 70, "odd", "anna", NOW),
    "resolve": lambda connection, number: item_acts.resolve(connection, 70, "fine", "anna", NOW),
    "drop": lambda connection, number: item_acts.drop(connection, PLAN, range(100, 120)),
    "drop letters": lambda connection, number: item_letters.drop(connection, [2, 4], "anna", NOW),
    "old items": lambda connection, number: OldItems(PLAN, late(number), NOW).step(connection, 20),
}


def filled(request: pytest.FixtureRequest, folder: Path, kind: str, number: int) -> State:
    """A state database with so many items."""
    request.param = kind
    state = migrated(empty_state(request, folder))
    fill(state, number)
    return state


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATABASES)
def test_no_statement_reads_a_table_from_end_to_end(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    state = filled(request, tmp_path, kind, MANY)
    with noted() as sends:
        with state.read() as connection:
            for sends.during, call in FINDING.items():
                call(connection, MANY)
        with state.begin() as connection:
            for sends.during, call in CHANGING.items():
                call(connection, MANY)
            sends.during = "snapshots"
            connection.execute(insert(item_snapshots).values(pipeline="parcels", at=NOW, content="[]"))
            for walk in item_old.walks(late(MANY) + item_old.YEAR):
                walk.step(connection, 20)
            item_counts.sum_up(connection, "parcels")
            item_counts.read(connection, "parcels")
    state.close()
    each = sends.of_each_shape({state.url})
    assert {sent.during for sent in sends} >= FINDING.keys() | CHANGING.keys() and len(each) > 80
    found = [scan for sent in each for scan in scans(sent, SMALL | OWN_PARTS)]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATABASES)
def test_as_much_is_read_of_few_items_as_of_many(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    read: dict[str, list[int]] = {name: [] for name in (*FINDING, *CHANGING)}
    for number in (FEW, MANY):
        state = filled(request, tmp_path, kind, number)
        for name, call in FINDING.items():
            with state.read() as connection, Work(connection) as work:
                call(connection, number)
            read[name].append(work.done)
        for name, call in CHANGING.items():
            with state.begin() as connection, Work(connection) as work:
                call(connection, number)
            read[name].append(work.done)
        state.close()
    # A deeper tree takes a little more; what reads all there is would read eight times as much.
    more = {name: (few, many) for name, (few, many) in read.items() if many > 1.3 * few + 200}
    assert more == {}
    assert min(few for few, _ in read.values()) >= 1
