"""What people do to items: chosen by key or by a filter, a few at a time, and on record.

Given: items that have failed, wait, or are done.
What happens: somebody lets them be done again, deletes them, or flags them.
What must hold: this is done to those that are meant, and to no others; it is on record once, with who did it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.items import waking
from janitor.operations import items as operations
from janitor.state import State, actions, item_acts, item_search
from janitor.state.item_changes import First
from janitor.state.item_search import Wanted
from janitor.state.item_states import BLOCKED, DONE, FAILED, READY, WAITING
from tests.small_engine import DATABASES, empty_state
from tests.state.parcels import NOW, PLAN, SECOND, add, end, keys_of, save, statuses, take


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = State(empty_state(request, tmp_path))
    save(made)
    yield made
    made.close()


@pytest.fixture
def woken() -> Iterator[list[First]]:
    """What was told to be ready."""
    found: list[First] = []
    with waking.listening(found.extend):
        yield found


def done(state: State) -> list[tuple[str, str, str | None, str]]:
    """Who did what to what, the oldest first."""
    with state.read() as connection:
        found = actions.listing(connection)
    return [(row.actor, row.action, row.job, row.detail) for row in reversed(found)]


def failed(state: State, *keys: str) -> list[int]:
    """Items that have failed at the first step."""
    ids = add(state, *keys)
    end(state, "fetch", *ids, status="failed")
    return ids


def left(state: State, /, **wanted: str) -> list[str]:
    """The keys of the items that are so."""
    walk = item_search.Walk(Wanted("parcels", **wanted))  # type: ignore[arg-type]
    with state.read() as connection:
        return keys_of(state, walk.next(connection, 500))


def test_a_failed_item_is_tried_again_by_its_key(state: State, woken: list[First]) -> None:
    one, other = failed(state, "a/b", "c")
    chosen = operations.by_key(state, "parcels", "a/b")
    assert (list(chosen.ids), chosen.said) == ([one], "a/b")
    assert operations.retry(state, chosen, "anna", NOW + SECOND) == 1
    assert statuses(state, one) == {
        "fetch": (READY, "not processed"),
        "match": (WAITING, "not processed"),
        "count": (WAITING, "not processed"),
    }
    assert statuses(state, other)["fetch"] == (FAILED, "failed")
    assert woken == [First("parcels.fetch", 0, NOW)]
    assert operations.retry(state, chosen, "bert", NOW) == 0
    assert done(state) == [("anna", "retried", "parcels", "a/b")]
    with pytest.raises(BadSetting, match="the key is 'nope': parcels has no such item; `items parcels` lists"):
        operations.by_key(state, "parcels", "nope")
    with pytest.raises(BadSetting, match="pipeline is 'nope': there is no such pipeline; the pipelines are parcels"):
        operations.by_key(state, "nope", "a/b")


def test_all_that_match_are_done_a_few_at_a_time(
    state: State, woken: list[First], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given seven failed items, chosen by a filter. What happens: they are tried again, three in a transaction.
    # What must hold: all are, whoever waits is told after each commit, and one action tells it.
    monkeypatch.setattr(operations, "TOGETHER", 3)
    monkeypatch.setattr(operations, "READ_TOGETHER", 2)
    ids = failed(state, *"abcdefg")
    chosen = operations.by_filter(state, Wanted("parcels", step="fetch", state="failed"))
    assert list(chosen.ids) == ids and chosen.said == "7 items: step 'fetch', state 'failed'"
    assert operations.retry(state, chosen, "anna", NOW, ["fetch"]) == 7
    assert left(state, state="ready") == list("abcdefg") and len(woken) == 3
    assert done(state) == [("anna", "retried", "parcels", "7 items: step 'fetch', state 'failed' at fetch")]
    nothing = operations.by_filter(state, Wanted("parcels", state="failed"))
    assert operations.retry(state, nothing, "anna", NOW) == 0 and len(done(state)) == 1


def test_several_filters_choose_an_item_once(state: State) -> None:
    ids = failed(state, "a", "b")
    wanted = [Wanted("parcels", step=step, state=name) for step in ("fetch", "count") for name in ("failed", "blocked")]
    chosen = operations.by_filter(state, *wanted)
    assert list(chosen.ids) == ids
    assert operations.retry(state, chosen, "anna", NOW, ["match"]) == 0
    assert operations.retry(state, chosen, "anna", NOW, ["match", "fetch"]) == 2


def test_what_matches_no_more_is_left_alone(state: State) -> None:
    # Given two failed items that somebody has chosen to delete. What happens: one is tried again meanwhile, by another.
    # What must hold: this one stays, and the other is deleted.
    ids = failed(state, "a", "b")
    chosen = operations.by_filter(state, Wanted("parcels", state="failed"))
    with state.begin() as connection:
        item_acts.retry(connection, PLAN, ids[:1], NOW)
    assert operations.drop(state, chosen, "gone", "anna", NOW) == 1
    assert left(state) == ["a"]
    assert done(state) == [("anna", "dropped", "parcels", "2 items: state 'failed': gone")]


def test_a_step_is_reset_with_all_behind_it(state: State, woken: list[First]) -> None:
    [item_id] = add(state, "a")
    for step in ("fetch", "match", "count"):
        end(state, step, item_id, result="{}")
    woken.clear()
    assert operations.reset(state, operations.by_key(state, "parcels", "a"), "match", "anna", NOW) == 1
    assert [standing[0] for _, standing in sorted(statuses(state, item_id).items())] == [WAITING, DONE, READY]
    assert [first.lane for first in woken] == ["parcels.match"]
    assert done(state) == [("anna", "reset", "parcels", "a, from match on")]
    with pytest.raises(BadSetting, match="STEP is 'nope': parcels has no such step; its steps are fetch, match, count"):
        operations.reset(state, operations.by_key(state, "parcels", "a"), "nope", "anna", NOW)
    with pytest.raises(BadSetting, match="STEP is 'nope'"):
        operations.by_filter(state, Wanted("parcels", step="nope", state="failed"))


def test_all_steps_are_done_again(state: State) -> None:
    one, other = failed(state, "a", "b")
    assert statuses(state, one)["count"][0] == BLOCKED
    assert operations.reprocess(state, operations.by_key(state, "parcels", "a"), "anna", NOW) == 1
    assert sorted(standing[0] for standing in statuses(state, one).values()) == [WAITING, WAITING, READY]
    assert statuses(state, other)["fetch"][0] == FAILED
    assert done(state) == [("anna", "reprocessed", "parcels", "a")]


def test_an_item_that_is_at_work_can_be_deleted(state: State) -> None:
    [item_id, other] = add(state, "a", "b")
    take(state, "fetch", item_id, other)
    chosen = operations.by_key(state, "parcels", "a")
    with pytest.raises(BadSetting, match="the note is ' ': say why these items may be deleted"):
        operations.drop(state, chosen, " ", "anna", NOW)
    assert left(state) == ["a", "b"]
    assert operations.drop(state, chosen, " sent twice ", "anna", NOW) == 1
    assert left(state) == ["b"] and statuses(state, item_id) == {}
    assert operations.drop(state, chosen, "again", "anna", NOW) == 0
    assert done(state) == [("anna", "dropped", "parcels", "a: sent twice")]


def test_a_flag_is_set_and_resolved_by_people(state: State) -> None:
    add(state, "a")
    operations.flag(state, "parcels", "a", " odd ", "anna", NOW)
    with state.read() as connection:
        row = item_search.one(connection, "parcels", "a")
    assert row is not None and (row.flag, row.flagged_by, row.flagged_at) == ("odd", "anna", NOW)
    assert operations.resolve(state, "parcels", "a", "fine", "bert", NOW + SECOND)
    assert not operations.resolve(state, "parcels", "a", "again", "carl", NOW)
    with state.read() as connection:
        row = item_search.one(connection, "parcels", "a")
    assert row is not None and (row.resolution, row.resolved_by, row.flag) == ("fine", "bert", "odd")
    with pytest.raises(BadSetting, match="the note is ''"):
        operations.flag(state, "parcels", "a", "", "anna", NOW)
    with pytest.raises(BadSetting, match="the key is 'nope'"):
        operations.flag(state, "parcels", "nope", "odd", "anna", NOW)
    assert done(state) == [
        ("anna", "flagged", "parcels", "a: odd"),
        ("bert", "flag resolved", "parcels", "a: fine"),
    ]
