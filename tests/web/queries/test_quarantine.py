"""A quarantine, in pages."""

from janitor.state import State, quarantine
from janitor.state.quarantine import Quarantined
from janitor.web.queries.quarantine import quarantine_list
from tests.web.queries.past import MINUTE, NOON, ask


def test_the_quarantines_of_a_job_are_one_list(state: State) -> None:
    with state.begin() as connection:
        for name in ("a", "b", "c"):
            quarantine.put(connection, name, [Quarantined(f"key of {name}", "no user")], NOON, 1)
    found = ask(state, quarantine_list, ["a", "c"], 10)
    assert ([row.key for row in found.rows], found.keys) == (["key of a", "key of c"], 2)


def test_a_quarantine_comes_in_pages(state: State) -> None:
    rows = [Quarantined(f"key {number}", "no user", item) for number in range(5) for item in "xy"]
    with state.begin() as connection:
        quarantine.put(connection, "a", rows, NOON, 1)
        quarantine.drop(connection, "a", "key 1", "anna", "thrown away", NOON + MINUTE)
        quarantine.look_first(connection, "a", "key 3")
    first = ask(state, quarantine_list, ["a"], 3)
    assert [(row.key, row.items) for row in first.rows] == [("key 0", 2), ("key 2", 2), ("key 3", 2)]
    assert [row.last_at for row in first.rows] == [NOON, NOON, None]
    assert (first.keys, first.next_offset) == (4, 3)
    second = ask(state, quarantine_list, ["a"], 3, 3)
    assert ([row.key for row in second.rows], second.next_offset) == (["key 4"], None)
    [dropped] = ask(state, quarantine_list, ["a"], 3, dropped=True).rows
    assert (dropped.key, dropped.dropped_by, dropped.note) == ("key 1", "anna", "thrown away")
