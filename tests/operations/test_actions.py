"""What people do: runs begun and cancelled from elsewhere, quarantined rows retried and given up, each remembered."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from janitor.engine.keeper import Keeper
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting, JanitorError, Skip
from janitor.jobs.schedules import EPOCH
from janitor.operations import actions as operations
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.state import actions, quarantine, refusals
from janitor.state.quarantine import Quarantined
from janitor.state.run_records import BY_HAND
from janitor.state.tables import quarantine as quarantine_rows
from tests.small_engine import (
    DATABASES,
    empty_state,
    eventually,
    job_of,
    now,
    rows_of,
    run_until,
    runner_for,
    settings_for,
)


@pytest.fixture(params=DATABASES)
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    with runner_for(settings_for(empty_state(request, tmp_path), tmp_path)) as made:
        yield made


def done(runner: Runner) -> list[tuple[str, str, str | None, str]]:
    """Who did what to what, the oldest first."""
    with runner.state.read() as connection:
        found = actions.listing(connection)
    return [(row.actor, row.action, row.job, row.detail) for row in reversed(found)]


def keep(runner: Runner, *rows: Quarantined) -> list[str]:
    """Put rows into the quarantine; the keys that are news."""
    with runner.state.begin() as connection:
        return [row.key for row in quarantine.put(connection, "q", rows, now(), 1)]


def counted(runner: Runner) -> tuple[int, list[str], list[str]]:
    """How many keys count, those that are listed, and those that are listed as given up."""
    with runner.state.read() as connection:
        waiting, dropped = (quarantine.listing(connection, "q", dropped=given_up) for given_up in (False, True))
        assert quarantine.sizes(connection).get("q", 0) == quarantine.size(connection, "q")
        return quarantine.size(connection, "q"), [row.key for row in waiting], [row.key for row in dropped]


def test_a_run_is_cancelled_from_another_process(runner: Runner) -> None:
    both_asked = threading.Event()

    def task() -> None:
        both_asked.wait(60)
        current_run().sleep(60)

    keeper = Keeper(runner)
    keeper.start()
    thread = threading.Thread(target=runner.execute, args=(job_of(task), Slot(None, BY_HAND)))
    thread.start()
    run_id: int = eventually(lambda: list(runner.live))[0]
    assert operations.cancel(runner.state, run_id, "anna", now())
    assert not operations.cancel(runner.state, run_id, "bert", now())
    both_asked.set()
    thread.join(60)
    keeper.stop()
    [row] = rows_of(runner.state)
    assert (row.outcome, row.reason) == ("cancelled", "cancelled by anna")
    assert done(runner) == [("anna", "cancelled", "task", f"run {run_id}")]
    with pytest.raises(JanitorError, match=f"^run {run_id} of task has ended: cancelled$"):
        operations.cancel(runner.state, run_id, "anna", now())
    with pytest.raises(BadSetting, match="RUN is '77': give the id of a run"):
        operations.cancel(runner.state, 77, "anna", now())


def test_a_run_begins_at_a_person_s_wish_and_never_twice(runner: Runner) -> None:
    go_on = threading.Event()
    scheduler = Scheduler(runner.settings)
    scheduler.add_job(lambda: {"waited": go_on.wait(30)}, "cron", hour=1, id="task")
    daemon, job, found = scheduler.daemon(runner), scheduler.jobs["task"], list[object]()

    def ask() -> bool:
        if not found and runner.live == {} and scheduler.running:
            found.append(operations.run_now(daemon, runner.state, job, True, "anna", now()))
        elif found and runner.live and not go_on.is_set():
            with pytest.raises(Skip, match=rf"^still running \(run {found[0]}\)$"):
                operations.run_now(daemon, runner.state, job, False, "bert", now())
            go_on.set()
        return go_on.is_set() and not runner.live

    assert run_until(daemon, ask)
    [row] = rows_of(runner.state)
    assert (row.id, row.origin, row.outcome, row.dry_run, row.slot_at) == (found[0], "by_hand", "succeeded", True, None)
    assert done(runner) == [("anna", "dry run", "task", f"run {row.id}")]


@pytest.mark.parametrize("confirmed", ["", "other"])
def test_a_protected_job_begins_only_by_its_id(runner: Runner, confirmed: str) -> None:
    scheduler = Scheduler(runner.settings)
    scheduler.add_job(lambda: None, "cron", hour=1, id="task", protect=True)
    daemon = scheduler.daemon(runner)
    with pytest.raises(BadSetting, match="task is protected: give its id to run it"):
        operations.run_now(daemon, runner.state, scheduler.jobs["task"], False, "anna", now(), confirmed)
    assert rows_of(runner.state) == [] and done(runner) == []


def test_a_dropped_row_counts_no_more_until_its_reason_changes(runner: Runner) -> None:
    keep(runner, Quarantined("a", "no user", "1"), Quarantined("a", "no user", "2"), Quarantined("b", "no user", "3"))
    assert operations.drop(runner.state, "q", "a", " thrown away ", "anna", now()) == 2
    assert operations.drop(runner.state, "q", "a", "again", "bert", now()) == 0
    assert counted(runner) == (1, ["b"], ["a"])
    assert keep(runner, Quarantined("a", "no user", "1")) == []
    assert counted(runner) == (1, ["b"], ["a"])
    with runner.state.read() as connection:
        [row] = quarantine.listing(connection, "q", dropped=True)
    assert (row.dropped_by, row.note, row.items) == ("anna", "thrown away", 2)
    assert keep(runner, Quarantined("a", "no barcode", "1")) == ["a"]
    assert counted(runner) == (2, ["a", "b"], ["a"])
    assert done(runner) == [("anna", "dropped", "q", "a: thrown away")]


def test_only_what_waits_in_quarantine_is_given_up(runner: Runner) -> None:
    # Given: items of two keys that a broker refused. Some are in quarantine: 43 for another reason, 45 under b alone.
    # What happens: the keys are dropped, first b, which has nothing in quarantine that was refused often.
    # What must hold: runs try all others again, else their job would fail until somebody says --retry.
    keep(runner, *(Quarantined("a", "full", item) for item in ("41", "43")), Quarantined("b", "no name", "45"))
    attempts = {("a", "41"): 5, ("a", "42"): 2, ("a", "43"): 1, ("a", "44"): 5, ("b", "41"): 5, ("b", "45"): 4}
    with runner.state.begin() as connection:
        made = {one: refusals.Refusal("full", count, EPOCH) for one, count in attempts.items()}
        refusals.put(connection, "q", made)

    def given_up() -> set[tuple[str, str]]:
        with runner.state.read() as connection:
            found = refusals.of_items(connection, "q", ["41", "42", "43", "44", "45"])
        return {one for one, refusal in found.items() if refusal.next_at == refusals.NEVER}

    assert operations.drop(runner.state, "q", "b", "gone", "anna", now()) == 1 and given_up() == set()
    assert operations.drop(runner.state, "q", "a", "gone", "anna", now()) == 2
    assert given_up() == {("a", "41")}
    assert operations.retry(runner.state, "q", "a", "anna", now()) == 4 and given_up() == set()


def test_a_row_is_dropped_only_with_a_note(runner: Runner) -> None:
    keep(runner, Quarantined("a", "no user"))
    with pytest.raises(BadSetting, match="the note is .*: say why these rows may be given up"):
        operations.drop(runner.state, "q", "a", "  ", "anna", now())
    assert counted(runner) == (1, ["a"], []) and done(runner) == []


def test_a_retried_row_is_looked_at_first(runner: Runner) -> None:
    keep(runner, *(Quarantined(key, "no user", key) for key in "abc"))
    assert operations.retry(runner.state, "q", "b", "anna", now()) == 1
    with runner.state.read() as connection:
        assert quarantine.checked_longest_ago(connection, "q", 1) == [("b", "b")]
    assert operations.retry(runner.state, "q", None, "anna", now()) == 3
    with runner.state.read() as connection:
        assert len(set(connection.execute(select(quarantine_rows.c.last_at)).scalars())) == 1
    assert operations.retry(runner.state, "elsewhere", None, "anna", now()) == 0
    assert [(action, detail) for _, action, _, detail in done(runner)] == [
        ("retried", "b"),
        ("retried", "all of its quarantine"),
    ]
