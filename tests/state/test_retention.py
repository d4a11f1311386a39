"""Retention.

Given: runs, some old, some too many, some open.
What happens: old runs are deleted, a few at a time, until nothing is left to delete.
What must hold: the newest runs, the run with the newest slot, and open runs stay.
"""

from collections.abc import Iterator

from sqlalchemy import delete, func, insert, select

from janitor.state import State, expired, log_lines, retention, run_records
from janitor.state.log_lines import LogLine
from janitor.state.tables import attempts, run_logs, runs
from tests.small_engine import remember_run, rows_of
from tests.state.history import MINUTE, NOW, begin, prune


def full_history(state: State, count: int) -> None:
    """Runs a minute apart, the newest at NOW, each with a line and an attempt."""
    for number in range(count):
        remember_run(state, "a", NOW - (count - 1 - number) * MINUTE)
    with state.begin() as connection:
        for row in run_records.history(connection, limit=count):
            log_lines.add(connection, [LogLine(row.id, NOW, "INFO", "x", "line")])
            values = {"run_id": row.id, "number": 1, "started_at": NOW, "ended_at": NOW, "outcome": "failed"}
            connection.execute(insert(attempts).values(values))


def counted(state: State) -> list[int]:
    with state.begin() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (run_logs, attempts)
        ]


def test_what_is_too_old_goes_in_small_deletes(state: State) -> None:
    full_history(state, 12)
    assert prune(state, NOW - 2 * MINUTE, 1000) == [4, 4, 1]
    assert [row.slot_at for row in rows_of(state)] == [NOW - 2 * MINUTE, NOW - MINUTE, NOW]
    assert counted(state) == [3, 3]


def test_what_is_too_much_goes_in_small_deletes(state: State) -> None:
    full_history(state, 12)
    remember_run(state, "b", NOW)
    assert prune(state, NOW - 100 * MINUTE, 5) == [4, 3]
    assert len(rows_of(state, "a")) == 5 and len(rows_of(state, "b")) == 1
    assert counted(state) == [5, 5]


def test_the_newest_slot_and_open_runs_stay(state: State) -> None:
    remember_run(state, "a", NOW)
    # Recorded later, of an earlier slot: the newest slot is not the newest record.
    remember_run(state, "a", NOW - 5 * MINUTE, "missed")
    begin(state, "open", NOW)
    for _ in range(3):
        remember_run(state, "a", None, "succeeded", started_at=NOW)  # type: ignore[arg-type]
    prune(state, NOW + 60 * MINUTE, 1)
    assert sorted((row.job, row.slot_at) for row in rows_of(state)) == [("a", NOW), ("open", NOW)]


def test_log_lines_of_a_level_go_in_small_deletes(state: State) -> None:
    run_id = begin(state)
    with state.begin() as connection:
        old = [LogLine(run_id, NOW - MINUTE, "DEBUG", "x", f"{number}") for number in range(12)]
        others = [LogLine(run_id, NOW - MINUTE, "INFO", "x", "level"), LogLine(run_id, NOW, "DEBUG", "x", "age")]
        log_lines.add(connection, [*old, *others])
        walk = retention.OldRows(run_logs, (run_logs.c.level == "DEBUG") & (run_logs.c.at < NOW))
        assert [walk.step(connection, 5) for _ in range(4)] == [5, 5, 2, None]
        assert list(connection.execute(select(run_logs.c.message)).scalars()) == ["level", "age"]


def test_a_run_that_stays_among_many_that_go_keeps_all_it_has(state: State) -> None:
    # Given an old history in which every second run stays: it is spared, or its job is left out, or it is the newest.
    # What happens: it is deleted, in large steps and in small ones.
    # What must hold: of each run that stays every line stays, and of each that went nothing does.
    for most in (1_000, 7):
        full_history(state, 300)
        rows = rows_of(state, "a")
        spared = [row.id for row in rows][::2]
        assert sum(prune(state, NOW + MINUTE, 1_000, most, spared=spared, without=["b"])) == 149
        left = sorted({*spared, rows[-1].id})
        assert [row.id for row in rows_of(state)] == left
        with state.begin() as connection:
            assert sorted(connection.execute(select(run_logs.c.run_id)).scalars()) == left
            connection.execute(delete(runs))


def test_runs_with_many_lines_go_a_few_at_once(state: State) -> None:
    # Given old runs, of which some have far more lines than others. What happens: they are deleted, twenty at once.
    # What must hold: a step deletes a bounded number of lines, or a single run; in the end all is gone, and what stays
    # is whole. Runs that go by their number are named one by one, and it is the same with them.
    for keep, spared in ((1_000, [5]), (1, [])):
        full_history(state, 12)
        ids = [row.id for row in rows_of(state, "a")]
        spare = [ids[at] for at in spared]
        with state.begin() as connection:
            many = {ids[1]: 500, ids[2]: 150, ids[3]: 150, ids[5]: 150, ids[7]: 90, ids[8]: 500}
            log_lines.add(connection, [LogLine(run, NOW, "INFO", "x", "y") for run in many for _ in range(many[run])])
        walks = expired.walks(expired.Bounds(NOW if keep > 1 else NOW - 100 * MINUTE, keep, spared=spare))
        steps = [step for walk in map(retention.OldRuns, walks) for step in steps_of(state, walk, most=20)]
        assert [gone for gone, _ in steps] == ([1, 1, 1, 3, 1, 1, 2] if spare else [1, 1, 1, 2, 2, 1, 1, 2])
        assert all(gone == 1 or lines <= 20 * retention.LINES_A_RUN for gone, lines in steps)
        assert [row.id for row in rows_of(state)] == [*spare, ids[-1]]
        assert counted(state) == ([152, 2] if spare else [1, 1])
        with state.begin() as connection:
            connection.execute(delete(run_logs))
            connection.execute(delete(runs))


def test_whether_a_run_may_go_is_asked_when_its_turn_comes(state: State) -> None:
    # Given three old runs with so many lines that each takes a step. What happens: after the first step a run is to
    # stay, since its cleanup has failed. What must hold: it stays, and the others go.
    full_history(state, 4)
    ids = [row.id for row in rows_of(state, "a")]
    with state.begin() as connection:
        log_lines.add(connection, [LogLine(run, NOW, "INFO", "x", "y") for run in ids for _ in range(150)])
    for walk in map(retention.OldRuns, expired.walks(expired.Bounds(NOW, 1_000))):
        for gone, _ in steps_of(state, walk, most=20):
            assert gone == 1
            with state.begin() as connection:
                run_records.keep_because(connection, ids[1], "its cleanup failed")
    assert [row.id for row in rows_of(state)] == [ids[1], ids[3]]


def steps_of(state: State, walk: retention.OldRuns, most: int) -> Iterator[tuple[int, int]]:
    """How many runs and lines went with each step that deleted any."""
    gone: int | None = 0
    while gone is not None:
        before = counted(state)[0]
        with state.begin() as connection:
            gone = walk.step(connection, most)
        if gone:
            yield gone, before - counted(state)[0]
