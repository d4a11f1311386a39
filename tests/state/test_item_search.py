"""Finding items: each filter by itself and with others, page by page, on each database.

Given: items in every state.
What happens: they are looked for, in pages.
What must hold: all that are wanted are found, each once, the newest first, and no others.
"""

import pytest
from sqlalchemy import Connection, select

from janitor.state import State, item_acts, item_search
from janitor.state.item_search import Wanted
from janitor.state.item_tables import items
from tests.state.parcels import NOW, PLAN, SECOND, add, end, keys_of, statuses, take

ALL = ["a1", "a2", "b1", "b2", "c1", "c2"]


def fill(state: State) -> dict[str, int]:
    """Items of which a1 is done, a2 failed at match, b1 is processed at fetch and b2 taken; the others are ready."""
    ids = dict(zip(ALL, add(state, *ALL), strict=True))
    end(state, "fetch", ids["a1"], ids["a2"], ids["b1"], at=NOW + SECOND)
    end(state, "match", ids["a1"], at=NOW + 2 * SECOND)
    end(state, "match", ids["a2"], status="no host", at=NOW + 3 * SECOND)
    end(state, "count", ids["a1"], status="few filters", at=NOW + 4 * SECOND)
    take(state, "fetch", ids["b2"])
    return ids


def all_of(connection: Connection, wanted: Wanted, most: int) -> list[int]:
    """The ids of all items that are wanted."""
    walk, found = item_search.Walk(wanted), list[int]()
    while some := walk.next(connection, most):
        found += some
    assert walk.next(connection, most) == []
    return found


def found(state: State, limit: int = 50, /, **wanted: object) -> list[str]:
    """The keys that are found, page by page; what is counted and chosen must be the same."""
    asked = Wanted(PLAN.pipeline, **wanted)  # type: ignore[arg-type]
    with state.read() as connection:
        rows = list(page := item_search.find(connection, asked, limit=limit))
        while len(page) == limit:
            page = item_search.find(connection, asked, after=page[-1].id, limit=limit)
            rows += page
        ids = [row.id for row in rows]
        assert ids == all_of(connection, asked, limit)[::-1]
        assert item_search.count(connection, asked) == len(ids) == len(set(ids))
        assert item_search.count(connection, asked, most=2) == min(2, len(ids))
        everywhere = list(connection.execute(select(items.c.id)).scalars())
        assert sorted(item_search.among(connection, asked, everywhere)) == sorted(ids)
    return keys_of(state, ids)


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_each_filter_finds_what_it_says(state: State, limit: int) -> None:
    add(state, "z", plan=PLAN.__class__("other", PLAN.steps, PLAN.kinds))
    fill(state)
    assert found(state, limit) == ALL[::-1]
    assert found(state, limit, state="open") == ["c2", "c1", "b2", "b1"]
    assert found(state, limit, state="done") == ["a1"]
    assert found(state, limit, state="failed") == ["a2"]
    assert found(state, limit, state="ready") == ["c2", "c1", "b1"]
    assert found(state, limit, state="processing") == ["b2"]
    assert found(state, limit, state="blocked") == ["a2"]
    assert found(state, limit, state="later") == found(state, limit, state="left out") == []
    assert found(state, limit, step="match", state="waiting") == ["c2", "c1", "b2"]
    assert found(state, limit, step="match", state="failed") == ["a2"]
    assert found(state, limit, step="fetch", state="done") == ["b1", "a2", "a1"]
    assert found(state, limit, step="fetch", state="open") == ["c2", "c1", "b2"]
    assert (
        found(state, limit, status="few filters") == found(state, limit, status="few filters", step="count") == ["a1"]
    )
    assert found(state, limit, status="few filters", step="match") == found(state, limit, status="unheard of") == []
    assert found(state, limit, status="not processed", step="match") == ["c2", "c1", "b2", "b1"]
    assert found(state, limit, status="processing") == ["b2"]
    assert found(state, limit, step="nowhere") == ALL[::-1]
    assert found(state, limit, step="nowhere", state="done") == []


def test_an_item_with_several_such_steps_is_found_once(state: State) -> None:
    fill(state)
    for limit in (1, 2, 3, 50):
        assert sorted(found(state, limit, status="not processed")) == sorted(["a2", "b1", "b2", "c1", "c2"])
        assert sorted(found(state, limit, status="processed")) == ["a1", "a2", "b1"]


def test_filters_hold_together(state: State) -> None:
    fill(state)
    assert found(state, key="a1") == ["a1"] and found(state, key="a") == []
    assert found(state, key="a*") == ["a2", "a1"] and found(state, key="*") == ALL[::-1]
    assert found(state, key="a*", state="failed") == ["a2"] and found(state, key="b*", state="failed") == []
    assert found(state, key="b*", state="ready") == ["b1"] and found(state, key="a1", status="processing") == []
    assert found(state, key="a*", step="fetch", status="processed", state="done") == ["a2", "a1"]
    assert found(state, state="open", status="processed") == ["b1"]
    assert found(state, state="failed", status="processed", step=None) == ["a2"]


def test_flagged_items_are_found_until_they_are_resolved(state: State) -> None:
    ids = fill(state)
    with state.begin() as connection:
        for key in ("a1", "b2", "c1"):
            assert item_acts.flag(connection, ids[key], "odd", "anna", NOW)
        assert item_acts.resolve(connection, ids["c1"], "fine", "bert", NOW)
    assert found(state, flagged=True) == ["b2", "a1"]
    assert found(state, flagged=True, state="done") == found(state, flagged=True, key="a*") == ["a1"]
    assert found(state, 2) == ALL[::-1]


def test_what_comes_first_is_taken_last(state: State) -> None:
    early, late, urgent = (
        *add(state, "early", at=NOW - SECOND),
        *add(state, "late", at=NOW + SECOND),
        *add(state, "urgent", priority=5),
    )
    for limit in (1, 2, 50):
        assert found(state, limit, step="fetch", state="ready") == ["late", "early", "urgent"]
    end(state, "fetch", late, urgent, early)
    assert found(state, state="ready") == ["late", "early", "urgent"]


def test_items_that_have_ended_come_by_their_end(state: State) -> None:
    first, second, third = add(state, "first", "second", "third")
    for at, item_id in enumerate((second, third, first)):
        end(state, "fetch", item_id, status="failed", at=NOW + at * SECOND)
    for limit in (1, 2, 50):
        assert found(state, limit, state="failed") == ["first", "third", "second"]
        assert found(state, limit, step="fetch", state="failed") == ["first", "third", "second"]


def test_a_page_after_an_item_that_has_left_begins_anew(state: State) -> None:
    ids = add(state, "a", "b", "c")
    end(state, "fetch", *ids, status="failed")
    with state.begin() as connection:
        item_acts.retry(connection, PLAN, ids[1:2], NOW)
    with state.read() as connection:
        for wanted in (Wanted("parcels", state="failed"), Wanted("parcels", step="fetch", state="failed")):
            page = item_search.find(connection, wanted, after=ids[1], limit=5)
            assert [row.key for row in page] == ["c", "a"]


def test_all_that_match_are_read_while_they_change(state: State) -> None:
    # Given failed items that are read two at a time. What happens: each that was read is tried again at once.
    # What must hold: each is read, once.
    ids, seen = add(state, *(f"k{number}" for number in range(7))), list[int]()
    end(state, "fetch", *ids, status="failed")
    walk = item_search.Walk(Wanted("parcels", step="fetch", state="failed"))
    while True:
        with state.begin() as connection:
            some = walk.next(connection, 2)
            item_acts.retry(connection, PLAN, some, NOW)
        if not some:
            break
        seen += some
    assert seen == ids and {statuses(state, item_id)["fetch"][0] for item_id in ids} == {1}


def test_an_item_is_found_by_its_key_without_its_secrets(state: State) -> None:
    [item_id] = add(state, "a", envelope={"to": "anna"}, secrets='{"token": "s3cret"}')
    with state.read() as connection:
        row = item_search.one(connection, "parcels", "a")
        assert row is not None and item_search.one(connection, "other", "a") is None
        [listed] = item_search.find(connection, Wanted("parcels"))
    assert (row.id, row.args, row.envelope) == (item_id, "{}", '[{"to": "anna"}]')
    assert "s3cret" not in f"{row}{listed}" and not hasattr(listed, "secrets") and not hasattr(row, "secrets")


def test_steps_and_attempts_of_items_are_read(state: State) -> None:
    ids = fill(state)
    with state.read() as connection:
        steps = item_search.steps(connection, list(ids.values()))
        attempts = item_search.attempts(connection, ids["a1"])
        newest = item_search.attempts(connection, ids["a1"], limit=1)
    assert [row.step for row in steps[ids["a2"]]] == ["count", "fetch", "match"] and len(steps) == 6
    assert [(row.step, row.status) for row in attempts] == [
        ("count", "few filters"),
        ("match", "processed"),
        ("fetch", "processed"),
    ]
    assert newest == attempts[:1]


def test_the_first_that_waits_tells_since_when(state: State) -> None:
    add(state, "late", at=NOW + 5 * SECOND)
    add(state, "urgent", at=NOW + 9 * SECOND, priority=3)
    lanes = [PLAN.lane(name) for name in ("fetch", "match", "count")]
    with state.read() as connection:
        assert item_search.oldest_waiting(connection, lanes) == {"parcels.fetch": NOW + 9 * SECOND}
        assert item_search.oldest_waiting(connection, []) == {}
        many = [*lanes, *(f"other.{number}" for number in range(120)), "parcels.fetch"]
        assert item_search.oldest_waiting(connection, many) == {"parcels.fetch": NOW + 9 * SECOND}
