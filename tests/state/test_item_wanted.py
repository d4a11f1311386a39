"""What is wanted of items: where each kind of question looks, and what cannot be asked."""

import pytest

from janitor.errors import BadSetting
from janitor.state import State, item_search, item_wanted
from janitor.state.item_search import Wanted
from janitor.state.item_states import NAMES
from tests.state.parcels import PLAN, add, end, keys_of, save


def found(state: State, limit: int, /, **wanted: str) -> list[str]:
    """The keys that are found, page by page."""
    asked, ids = Wanted("parcels", **wanted), list[int]()  # type: ignore[arg-type]
    with state.read() as connection:
        while page := item_search.find(connection, asked, after=ids[-1] if ids else None, limit=limit):
            ids += [row.id for row in page]
        assert item_search.Walk(asked).next(connection, 100) == ids[::-1]
    return keys_of(state, ids)


def test_keys_that_begin_alike_are_found_however_many_they_are(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more keys with one beginning than are looked at one by one. What must hold: they come by key; with another
    # filter they are found by that.
    monkeypatch.setattr(item_wanted, "FEW_KEYS", 1)
    ended, *_ = add(state, "a1", "a2", "b1", "b2")
    for step in ("fetch", "match", "count"):
        end(state, step, ended)
    add(state, "a\U0010ffff", "a\ud7ff", "a", "b")
    for limit in (1, 2, 50):
        assert found(state, limit, key="a*") == ["a\U0010ffff", "a\ud7ff", "a2", "a1", "a"]
        assert found(state, limit, key="a*", state="done") == ["a1"]
        assert found(state, limit, key="b*", state="ready") == ["b", "b2", "b1"]
        assert found(state, limit, key="a\ud7ff*") == ["a\ud7ff"] and found(state, limit, key="a\U0010ffff*") == []


def test_a_filter_that_cannot_be_is_refused(state: State) -> None:
    save(state)
    with state.read() as connection:
        with pytest.raises(BadSetting, match="the state is 'gone': give one of blocked, done, failed, later"):
            item_search.find(connection, Wanted("parcels", state="gone"))
        with pytest.raises(BadSetting, match=r"the key is 'a\*b': give a whole key, or how keys begin and a \*"):
            item_search.find(connection, Wanted("parcels", key="a*b"))
        nowhere = Wanted("nowhere", status="processed")
        assert item_search.find(connection, nowhere) == [] and item_search.count(connection, nowhere) == 0


def test_what_is_meant_is_told() -> None:
    assert Wanted("p").told() == "all" and Wanted("p").is_whole
    told = Wanted("p", step="match", status="no host", key="a*", flagged=True).told()
    assert told == "step 'match', status 'no host', key 'a*', flagged"


INDEXES = {
    (): ["items_flagged", "items_flagged"],
    (("flagged", True),): ["items_flagged"],
    (("key", "a"),): ["one_item_per_key"],
    (("key", "a*"), ("flagged", True), ("status", "processed")): ["one_item_per_key"],
    (("state", "open"),): ["items_by_state"],
    (("state", "failed"), ("step", "match")): ["item_steps_due"],
    (("state", "blocked"),): ["item_steps_due"] * 3,
    (("status", "few filters"),): ["item_steps_due"] * 3,
    (("status", "of another plan"), ("step", "match")): ["item_steps_due"] * 2,
    (("status", "not processed"), ("state", "ready")): ["item_steps_due"] * 3,
    (("status", "processed"), ("state", "ready")): [],
    (("step", "match"),): ["items_flagged", "items_flagged"],
}


def test_each_question_looks_along_an_index(state: State) -> None:
    save(state)
    with state.read() as connection:
        for given, indexes in INDEXES.items():
            asked = item_wanted.ranges(connection, Wanted("parcels", **dict(given)))  # type: ignore[arg-type]
            assert [one.index for one in asked] == indexes, given


def test_each_state_of_a_step_has_a_name() -> None:
    assert {name: item_wanted.OF_STEPS[name] for name in NAMES} == {name: (at,) for at, name in enumerate(NAMES)}
    assert set(item_wanted.OF_STEPS) == {*NAMES, "open"} and PLAN.kinds["few filters"] == "warning"
