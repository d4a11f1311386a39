"""Which runs are old: the walks that find them, whatever the order in which runs were recorded."""

from janitor.state import State, expired
from tests.small_engine import remember_run, rows_of
from tests.state.history import MINUTE, NOW, prune


def test_slots_recorded_late_are_not_taken_for_old_records(state: State) -> None:
    # Given old runs, newer runs, and an old slot that was recorded as missed after them.
    # What happens: the walk through what is old looks for its end.
    # What must hold: it ends at the newest old run: no newer record is read. The old slot goes in a later round.
    for age in (9, 8, 2, 1):
        remember_run(state, "a", NOW - age * MINUTE)
    remember_run(state, "b", NOW - 9 * MINUTE, "missed", attempts=0)
    remember_run(state, "b", NOW - 7 * MINUTE, "missed", attempts=0)
    bounds = expired.Bounds(NOW - 5 * MINUTE, 1_000)
    with state.begin() as connection:
        walk = expired.OldRuns(bounds, expired.NewestSlots())
        batch = walk.next(connection, 100)
        assert batch is not None and [len(batch.ids), batch.stay] == [2, []]
        assert walk.next(connection, 100) is None
    remember_run(state, "c", NOW - 6 * MINUTE)
    assert prune(state, NOW - 5 * MINUTE, 1_000) == [2, 1]
    assert [row.job for row in rows_of(state)] == ["a", "a", "b", "c"]


def test_a_run_that_began_later_than_its_number_says_stays(state: State) -> None:
    # As after the clock was set back: the first record is of a later run than the next two.
    for age in (1, 9, 8, 0):
        remember_run(state, "a", NOW - age * MINUTE)
    assert prune(state, NOW - 5 * MINUTE, 1_000) == [2]
    assert [row.slot_at for row in rows_of(state)] == [NOW - MINUTE, NOW]


def test_what_came_during_a_walk_and_is_needed_stays(state: State) -> None:
    # Given: a walk through what a job has too much of, which has begun. What happens: a success comes, on which other
    # jobs build, and the newest slot; then enough newer runs by hand. What must hold: both stay.
    for age in (9, 8):
        remember_run(state, "a", NOW - age * MINUTE)
    walk = expired.SurplusRuns(expired.Bounds(NOW - 60 * MINUTE, 1, needed=["b"]))
    with state.begin() as connection:
        assert walk.next(connection, 1) is not None
    remember_run(state, "b", NOW - 3 * MINUTE)
    remember_run(state, "b", NOW - 2 * MINUTE, "failed")
    for _ in range(3):
        remember_run(state, "b", None, "failed", started_at=NOW)  # type: ignore[arg-type]  # by hand
    kept = {row.id for row in rows_of(state, "b")[:2]}
    with state.begin() as connection:
        while (batch := walk.next(connection, 100)) is not None:
            assert not kept & set(batch.ids)
