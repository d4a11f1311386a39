"""Refusals: kept by name, item and key, and found by item however many they are."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.state import State, refusals
from janitor.state.refusals import Refusal

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_refusals_are_found_by_item(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "ITEMS_AT_ONCE", 3)
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
