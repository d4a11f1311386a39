"""What the verbs of items tell, as plain rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.state import State, item_acts, item_letters, item_replies
from janitor.state.item_plans import PlannedStep
from janitor.state.item_search import Wanted
from janitor.state.item_states import LATER
from janitor.terminal import item_listings
from tests.small_engine import migrated
from tests.state.parcels import NOW, PLAN, SECOND, add, end, save, take

STARS = replace(PLAN, pipeline="stars", steps=(PlannedStep("look", {}),), replies=())


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    save(made)
    save(made, STARS)
    yield made
    made.close()


def counted(state: State) -> list[tuple[object, ...]]:
    with state.read() as connection:
        rows = item_listings.of_pipelines(connection)
    return [(row["pipeline"], row["step"], row["state"], row["status"], row["number"]) for row in rows]


def test_what_is_counted_stands_in_the_order_of_the_steps(state: State) -> None:
    # Given items at each step, an item of a step that the plan has no more, dead letters, and replies.
    # What must hold: whole items come first, then the steps as they follow on one another, then all else.
    one, _ = add(state, "a", "b", at=NOW)
    for step in ("fetch", "match", "count"):
        end(state, step, one)
    add(state, "s", plan=STARS, at=NOW + SECOND)
    with state.begin() as connection:
        item_letters.add(connection, "parcels", "desk", "x", "y", 1, None, NOW)
    save(state, replace(PLAN, steps=PLAN.steps[1:]))
    assert counted(state) == [
        ("parcels", None, "open", None, 1),
        ("parcels", None, "done", None, 1),
        ("parcels", "match", "waiting", "not processed", 1),
        ("parcels", "match", "done", "processed", 1),
        ("parcels", "count", "waiting", "not processed", 1),
        ("parcels", "count", "done", "processed", 1),
        ("parcels", "fetch", "ready", "not processed", 1),
        ("parcels", "fetch", "done", "processed", 1),
        ("parcels", "inboxes", None, "dead letters", 1),
        ("parcels", "replies", None, "waiting", 1),
        ("stars", None, "open", None, 1),
        ("stars", "look", "ready", "not processed", 1),
    ]
    with state.read() as connection:
        waits = {row["step"]: row["oldest_at"] for row in item_listings.of_pipelines(connection) if row["oldest_at"]}
    assert waits == {"look": NOW + SECOND}


def test_items_are_told_with_their_steps(state: State) -> None:
    one, two = add(state, "a", "b", secrets='{"token": "s3cret"}')
    end(state, "fetch", one, status="not processed", state=LATER, until=NOW + 5 * SECOND)
    take(state, "fetch", two)
    with state.begin() as connection:
        item_acts.flag(connection, two, "odd", "anna", NOW)
        rows = item_listings.of_items(connection, Wanted("parcels"), 5)
    assert [(row["key"], row["state"], row["done"], row["flag"]) for row in rows] == [
        ("b", "open", 0.0, "odd"),
        ("a", "open", 0.0, None),
    ]
    [first, second] = (row["steps"][0] for row in rows)
    assert (first["status"], first["run"], first["next_try_at"]) == ("processing", 7, None)
    assert (second["state"], second["tries"], second["next_try_at"]) == ("later", 1, NOW + 5 * SECOND)
    assert [item_listings.in_words(row)["steps"] for row in rows] == [
        "fetch: processing, match: waiting, count: waiting",
        "fetch: later, match: waiting, count: waiting",
    ]
    assert "s3cret" not in str(rows)


def test_all_that_is_known_of_an_item_is_told(state: State) -> None:
    [item_id] = add(state, "a/b", envelope={"to": "anna"}, secrets='{"token": "s3cret"}')
    end(state, "fetch", item_id, result='{"on": {"$date": "2026-01-02"}}', log="12:00:00 INFO hello")
    end(state, "match", item_id, status="no host", at=NOW + SECOND, reason="nobody", traceback="Traceback\n  x")
    with state.begin() as connection:
        item_replies.put_off(connection, 1, NOW + 9 * SECOND, "nobody is there")
    with state.read() as connection:
        found = item_listings.details(connection, "parcels", "a/b")
        assert item_listings.details(connection, "parcels", "nope") is None
        newest = item_listings.details(connection, "parcels", "a/b", attempts=1)
    assert found is not None and newest is not None and "s3cret" not in str(found)
    assert (found["state"], found["args"], found["envelopes"]) == ("failed", {}, [{"to": "anna"}])
    assert found["results"] == {"fetch": {"on": "2026-01-02"}} and found["ended_at"] == NOW + SECOND
    assert [(one["step"], one["run"], one["status"], one["reason"]) for one in found["attempts"]] == [
        ("fetch", 7, "processed", None),
        ("match", 7, "no host", "nobody"),
    ]
    assert found["attempts"][0]["log"] == "12:00:00 INFO hello" and newest["attempts"] == found["attempts"][1:]
    [reply] = found["replies"]
    assert (reply["to"], reply["state"], reply["due_at"], reply["reason"]) == (
        "mail",
        "waiting",
        NOW + 9 * SECOND,
        "nobody is there",
    )


def test_dead_letters_of_all_pipelines_come_by_age(state: State) -> None:
    with state.begin() as connection:
        for name in ("parcels", "stars", "parcels"):
            item_letters.add(connection, name, "desk", "x", "y", 1, "k", NOW)
        item_letters.add(connection, "stars", "desk", "x", "***", 3, None, NOW)
        rows = item_listings.of_letters(connection, None, 3)
        of_one = item_listings.of_letters(connection, "parcels", 9)
    assert [(row["letter"], row["pipeline"], row["is_whole"]) for row in rows] == [
        (4, "stars", False),
        (3, "parcels", True),
        (2, "stars", True),
    ]
    assert [row["letter"] for row in of_one] == [3, 1] and "dropped_at" not in rows[0]
