"""Ends that are alike, of items with one step, are recorded as all others are, though nothing of them is read.

Given: items of a plan with one step, held by a run. What happens: they end, all alike, or one of them is otherwise.
What must hold: rows, counts, replies and attempts are those of ends that are read; whoever is no longer held by the
claim of its end is left as it is.
"""

from typing import Any

import pytest
from sqlalchemy import Connection, Row, event, select, update

from janitor.state import State, item_acts, item_alike
from janitor.state.item_changes import Changed
from janitor.state.item_counts import Changes
from janitor.state.item_states import DONE, FAILED, OPEN, PROCESSING, READY
from janitor.state.item_tables import item_steps, items
from tests.state.parcels import NOW, SECOND, add
from tests.state.pieces import (
    Meanwhile,
    an_end,
    attempts_counted,
    attempts_of,
    check_counts,
    item_of,
    plan_of,
    record,
    replies_of,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of({"a": {}}, "answers")
LATER_ON = NOW + SECOND
KEYS = [f"k{number}" for number in range(12)]


def held(state: State, *keys: str, **more: Any) -> tuple[list[int], list[int]]:
    """Items that a run holds, and their claims."""
    ids = add(state, *keys, plan=PLAN, **more)
    return ids, took(state, PLAN, "a", *ids)


def ended(state: State, ids: list[int], claims: list[int], status: str = "processed", **more: Any) -> Changed:
    ends = [an_end(item, claim, status, **more) for item, claim in zip(ids, claims, strict=True)]
    return record(state, PLAN, "a", *ends, at=LATER_ON)


def facts(row: Row[Any]) -> dict[str, Any]:
    """What rows of different items have in common."""
    return {name: value for name, value in row._mapping.items() if name not in ("id", "item_id", "key")}


@pytest.mark.parametrize("status", ["processed", "few filters", "no host"])
def test_alike_ends_leave_what_others_leave(state: State, status: str) -> None:
    # Given twelve that end alike, and twelve of which one ends otherwise, so that they are read.
    more = {"expires_at": NOW + 60 * SECOND, "secrets": "{}", "envelope": {"to": "A"}}
    alike, read = held(state, *KEYS, **more), held(state, *(f"other {key}" for key in KEYS), **more)
    sent: list[str] = []
    event.listen(state.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    changed = ended(state, *alike, status, result='"r"')
    assert not any(text.startswith("SELECT") and "items.priority" in text for text in sent), "none is read"
    odd = an_end(read[0][-1], read[1][-1], "few filters" if status == "processed" else "processed", result='"r"')
    ends = [an_end(item, claim, status, result='"r"') for item, claim in zip(*read, strict=True)]
    record(state, PLAN, "a", *ends[:-1], odd, at=LATER_ON)
    assert any(text.startswith("SELECT") and "items.priority" in text for text in sent)
    assert (changed.ended, changed.touched, changed.ready) == (alike[0], 12, [])
    for one, other in zip(alike[0][:-1], read[0][:-1], strict=True):
        assert facts(item_of(state, one)) == facts(item_of(state, other))
        assert facts(steps_of(state, one)["a"]) == facts(steps_of(state, other)["a"])
        [mine], [theirs] = attempts_of(state, one), attempts_of(state, other)
        assert facts(mine) == facts(theirs)
    row = item_of(state, alike[0][0])
    assert (row.state, row.ended_at) == (FAILED if status == "no host" else DONE, LATER_ON)
    assert (row.open_until, row.secrets) == (None, None)
    assert {one.item_id for one in replies_of(state)} == {*alike[0], *read[0]}
    assert attempts_counted(state)["a", status] == 23
    check_counts(state)


def test_what_is_held_no_more_is_left_and_the_others_end(state: State) -> None:
    # Given one item that was reset, one that was taken again since, one that was dropped, and one that a person ended.
    ids, claims = held(state, *KEYS)
    with state.begin() as connection:
        item_acts.reset(connection, PLAN, ids[:2], "a", NOW)
        item_acts.drop(connection, PLAN, [ids[2]])
        connection.execute(update(items).where(items.c.id == ids[3]).values(state=OPEN + 4))
    took(state, PLAN, "a", ids[1])
    changed = ended(state, ids, claims)
    assert changed.touched == 9
    assert states_of(state, ids[0]) == {"a": READY} and states_of(state, ids[1]) == {"a": PROCESSING}
    assert attempts_of(state, ids[0]) == attempts_of(state, ids[1]) == attempts_of(state, ids[2]) == []
    assert all(states_of(state, item) == {"a": DONE} for item in ids[4:])


def test_an_end_of_an_earlier_claim_ends_no_later_one(state: State) -> None:
    ids, claims = held(state, "k", "l")
    with state.begin() as connection:
        item_acts.reset(connection, PLAN, [ids[0]], "a", NOW)
    took(state, PLAN, "a", ids[0])
    assert ended(state, ids, claims).ended == [ids[1]]
    assert states_of(state, ids[0]) == {"a": PROCESSING} and attempts_of(state, ids[0]) == []
    check_counts(state)


def test_an_item_with_another_step_does_not_end(state: State) -> None:
    # Given an item that still has a step of its pipeline's last plan, which waits.
    ids, claims = held(state, *KEYS)
    with state.begin() as connection:
        row = connection.execute(select(item_steps).where(item_steps.c.item_id == ids[5])).one()
        more = {**row._mapping, "step": "b", "lane": "p.b", "state": READY, "status": "not processed"}
        connection.execute(item_steps.insert().values(**more))
    ended(state, ids, claims)
    assert [item_of(state, item).state for item in ids] == [OPEN if item == ids[5] else DONE for item in ids]


def test_claims_of_several_numbers_are_read(state: State) -> None:
    ids, claims = held(state, "k", "l")
    with state.begin() as connection:
        item_acts.reset(connection, PLAN, [ids[1]], "a", NOW)
    claims[1:] = took(state, PLAN, "a", ids[1])
    assert claims == [1, 2]
    assert ended(state, ids, claims).ended == ids
    assert [row.claims for item in ids for row in steps_of(state, item).values()] == [1, 2]
    check_counts(state)


def test_the_same_item_twice_is_kept_once(state: State) -> None:
    [item], [claim] = held(state, "k")
    ended(state, [item, item], [claim, claim])
    assert len(attempts_of(state, item)) == 1 and item_of(state, item).state == DONE
    check_counts(state)


def test_whoever_resets_an_item_meanwhile_waits_for_its_end(state: State) -> None:
    ids, claims = held(state, *KEYS)

    def reset(connection: Connection) -> int:
        return item_acts.reset(connection, PLAN, [ids[0]], "a", LATER_ON).touched

    with Meanwhile(state, reset) as other, state.begin() as connection:
        changes = Changes("p")
        changed = item_alike.end(connection, PLAN, "a", ids, claims[0], (DONE, "processed"), LATER_ON, changes)
        changes.write(connection)
        other.begin()
    assert changed is not None and changed.touched == 12 and other.came == 1
    assert states_of(state, ids[0]) == {"a": READY} and states_of(state, ids[1]) == {"a": DONE}
    check_counts(state)
