"""What is read from the state database: each record is seen once, when it ends."""

from datetime import timedelta

import pytest

from janitor.notices import reading
from janitor.state import quarantine
from janitor.state.quarantine import Quarantined
from tests.notices.house import NOON, House


def test_a_run_is_told_when_it_ends_however_late(house: House) -> None:
    """Given: a run that goes on; 300 ids later other runs have ended, more than the window holds.

    Happens: a new daemon looks, and then the long run is interrupted.
    Must hold: the interruption is told.
    """
    watch = house.watch()
    long_one = house.ran(None)
    watch.look(NOON)
    for number in range(1, 3):
        house.ran("succeeded", job="clean", id=long_one + 150 * number)
        watch.look(NOON)
    watch = house.watch()
    watch.look(NOON)
    assert house.told() == []
    house.ends(long_one, "interrupted")
    watch.look(NOON)
    assert house.told() == ["began copy interrupted"]


def test_a_record_committed_after_later_ones_is_seen(house: House) -> None:
    """Given: a record whose id is lower than one already looked at, as MySQL may commit them.

    Happens: two looks, the second by a new daemon.
    Must hold: the failure is told, and once.
    """
    watch = house.watch()
    first = house.ran("succeeded", job="clean")
    watch.look(NOON)
    house.ran("succeeded", job="clean", id=first + 3)
    watch.look(NOON)
    house.ran("failed", id=first + 2)
    watch.look(NOON)
    assert house.told() == ["began copy failed"]
    house.watch().look(NOON)
    assert house.told() == ["began copy failed"]


def test_dry_runs_and_skipped_slots_are_not_told_of(house: House) -> None:
    watch = house.watch()
    watch.look(NOON)
    house.ran("failed", dry_run=True)
    house.ran("failed")
    house.ran("succeeded", dry_run=True)
    house.ran("skipped")
    watch.look(NOON)
    assert house.told() == ["began copy failed"]


@pytest.mark.parametrize(
    ("counts", "rows"),
    [
        (None, None),
        ("{}", None),
        ('{"inserted": 3, "updated": 4, "quarantined": 9}', 7),
        ('{"note": "late", "done": true}', None),
        ('{"deleted": 0}', 0),
    ],
)
def test_rows_are_the_sum_of_the_counts(counts: str | None, rows: int | None) -> None:
    assert reading.rows_of(counts) == rows


def test_a_history_holds_what_was_seen_and_no_more(house: House) -> None:
    for outcome in ("succeeded", "failed", "succeeded", "succeeded", "failed", "interrupted"):
        house.ran(outcome)
    with house.runner.state.read() as connection:
        seen = reading.beginning(connection)
    house.ran("failed")
    with house.runner.state.read() as connection:
        found = reading.history(connection, "copy", 2, seen)
        fresh = reading.news(connection, seen).ended["copy"]
    assert [one.outcome.value for one in found.successes] == ["succeeded"] * 2 and found.failures == 1
    assert [one.outcome.value for one in found.since] == ["failed", "interrupted"]
    assert [one.outcome.value for one in fresh] == ["failed"]


def test_the_quarantine_of_the_last_day_is_counted_by_key(house: House) -> None:
    hour, rows = timedelta(hours=1), [Quarantined("DN2", "no location", item) for item in ("1", "2")]
    with house.runner.state.begin() as connection:
        quarantine.put(connection, "copy", [Quarantined("DN1", "no location")], NOON - 25 * hour, 1)
        quarantine.put(connection, "copy", [*rows, Quarantined("DN3", "no location")], NOON - 23 * hour, 1)
        assert reading.quarantined(connection, NOON) == {"copy": 2}
        assert reading.quarantined(connection, NOON + 2 * hour) == {}
