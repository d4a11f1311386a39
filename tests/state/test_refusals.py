"""Refusals: kept by name, item and key, and found by item however many they are."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.state import State, pieces, quarantine, refusals
from janitor.state.quarantine import Quarantined
from janitor.state.refusals import Refusal

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_refusals_are_found_by_item(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "OF_A_FILE", 3)
    monkeypatch.setattr(pieces, "OF_A_SERVER", 4)
    made = {(f"key {number % 2}", str(number)): Refusal("full", number, NOW) for number in range(10)}
    with state.begin() as connection:
        assert refusals.is_empty(connection, "task")
        refusals.put(connection, "task", made)
        refusals.put(connection, "task", {})
        assert refusals.of_items(connection, "task", [str(number) for number in range(4, 20)]) == {
            identity: refusal for identity, refusal in made.items() if refusal.attempts >= 4
        }
        assert refusals.of_items(connection, "other", ["5"]) == {} == refusals.of_items(connection, "task", [])
        assert (refusals.is_empty(connection, "task"), refusals.is_empty(connection, "other")) == (False, True)


def test_a_refusal_is_replaced_and_removed(state: State) -> None:
    one, two = ("key", "1"), ("KEY", "1")
    with state.begin() as connection:
        refusals.put(connection, "task", {one: Refusal("full", 1, NOW), two: Refusal("full", 1, NOW)})
        later = Refusal("broken", 2, NOW + timedelta(minutes=10))
        refusals.put(connection, "task", {one: later})
        for _ in range(2):
            refusals.remove(connection, "task", [two, ("nobody", "1")])
        assert refusals.of_items(connection, "task", ["1"]) == {one: later}


def test_another_task_s_refusals_stay(state: State) -> None:
    one, refusal = ("key", "1"), Refusal("full", 1, NOW)
    with state.begin() as connection:
        for name in ("task", "other"):
            refusals.put(connection, name, {one: refusal})
        refusals.remove(connection, "task", [one])
        assert refusals.of_items(connection, "other", ["1"]) == {one: refusal}


def test_only_what_was_dropped_is_never_tried_again(state: State) -> None:
    # Given: a key with two items that were refused five times; one of them waits in quarantine, and is dropped.
    refused = {("key", item): Refusal("full", refusals.RUNS, NOW) for item in "12"}
    with state.begin() as connection:
        refusals.put(connection, "task", refused)
        quarantine.put(connection, "task", [Quarantined("key", "full", "1")], NOW, 1)
        quarantine.drop(connection, "task", "key", "anna", "gone", NOW)
        refusals.give_up(connection, "task", "key")
        found = refusals.of_items(connection, "task", ["1", "2"])
    assert {item: one.next_at for (_, item), one in found.items()} == {"1": refusals.NEVER, "2": NOW}
