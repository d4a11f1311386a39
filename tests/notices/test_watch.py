"""The watch: each thing is told once, however often the watch looks and however often a daemon starts."""

import functools
import shutil
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, update

from janitor.state import actions, job_records, leases, quarantine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import leases as lease_table
from janitor.state.tables import run_logs
from tests.notices.house import NOON, House

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_a_failure_is_told_at_its_start_each_hour_and_its_end(any_house: House) -> None:
    house, watch = any_house, any_house.watch("notebook", "other")
    house.ran("succeeded")
    house.look(watch, NOON)
    failed = house.ran("failed", NOON + MINUTE)
    for minutes in (2, 3, 61):
        house.look(watch, NOON + minutes * MINUTE)
    assert house.told() == ["began copy failed"]
    house.look(watch, NOON + 62 * MINUTE)
    assert house.told() == ["began copy failed", "repeated copy failed"]
    success = house.ran("succeeded", NOON + 63 * MINUTE)
    for minutes in (64, 65, 200):
        house.look(watch, NOON + minutes * MINUTE)
    assert house.told() == house.told("other") == ["began copy failed", "repeated copy failed", "ended copy failed"]
    (row,) = house.rows()
    assert (row["rule"], row["job"], row["run_id"], row["text"]) == ("failed", "copy", failed, "failed: no space left")
    assert (row["began_at"], row["told_at"]) == (NOON + 2 * MINUTE, NOON + 62 * MINUTE)
    assert row["ended_at"] == NOON + 64 * MINUTE
    assert len({content.key for content in house.contents()}) == 1
    assert [content.run_id for content in house.contents()] == [failed, failed, success]


def test_what_begins_and_ends_between_two_looks_is_told(house: House) -> None:
    watch = house.watch()
    watch.look(NOON)
    for outcome in ("failed", "succeeded", "succeeded", "missed", "succeeded", "failed", "failed"):
        house.ran(outcome, slot_at=NOON if outcome == "missed" else None)
    watch.look(NOON + MINUTE)
    told = ["began copy failed", "ended copy failed", "began copy missed", "ended copy missed", "began copy failed"]
    assert house.told() == told


def test_a_job_that_is_added_later_is_watched_too(house: House) -> None:
    """Given a watch that has looked, and an old failure of a job that no jobs file names yet.

    The job is added, fails once more, is taken away, succeeds elsewhere, and is added again.
    Must hold: failures from before count too, the notice ends with the job, and the success counts.
    """
    watch = house.watch(notice_failed_after=2)
    house.ran("failed", job="late")
    house.look(watch, NOON)
    house.adds("late")
    house.look(watch, NOON + MINUTE)
    house.ran("failed", job="late")
    house.look(watch, NOON + 2 * MINUTE)
    assert house.told() == ["began late failed"]
    del house.jobs["late"]
    house.look(watch, NOON + 3 * MINUTE)
    assert house.told() == ["began late failed", "ended late failed"]
    house.ran("succeeded", job="late")
    house.look(watch, NOON + 4 * MINUTE)
    house.adds("late")
    house.ran("failed", job="late")
    house.look(watch, NOON + 5 * MINUTE)
    assert house.told() == ["began late failed", "ended late failed"]


def test_a_history_is_read_once(house: House) -> None:
    """Given two jobs; a job is added.

    Looks without news must take no more statements than before: a job's history is read at one look.
    """
    taken = 0

    def count(*_: object) -> None:
        nonlocal taken
        taken += 1

    watch = house.watch()
    house.look(watch, NOON)
    house.look(watch, NOON)
    with house.runner.state.read() as connection:
        event.listen(connection.engine, "before_cursor_execute", count)
    looks = []
    for job in (None, "late", None):
        if job:
            house.adds(job)
        taken = 0
        watch.look(NOON)
        looks.append(taken)
    assert looks[0] == looks[2] < looks[1]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=list("flfsrl"), after=2)
@given(steps=st.lists(st.sampled_from("sfilr"), max_size=25), after=st.integers(1, 3))
def test_the_moments_of_looking_change_nothing_told(house: House, steps: list[str], after: int) -> None:
    """Given: s, f, i are runs that succeed, fail, are interrupted; at l the watch looks; at r a new daemon starts.

    Happens: the steps come in any order, and after them a last look.
    Must hold: the same notices begin and end as if the watch had looked after each run.
    """
    house.begin_anew()
    made = functools.partial(house.watch, notice_failed_after=after)
    (watch := made()).look(NOON)
    expected, failures, interrupted = list[str](), 0, False
    for step in [*steps, "l"]:
        if step == "l":
            watch.look(NOON)
        elif step == "r":
            watch = made()
        else:
            house.ran({"s": "succeeded", "f": "failed", "i": "interrupted"}[step])
        if step == "s":
            expected += ["ended failed"] * (failures >= after) + ["ended interrupted"] * interrupted
        failures = 0 if step == "s" else failures + (step == "f")
        expected += ["began failed"] * (step == "f" and failures == after)
        expected += ["began interrupted"] * (step == "i" and not interrupted)
        interrupted = step != "s" and (interrupted or step == "i")
    assert sorted(one.replace("copy ", "") for one in house.told()) == sorted(expected)
    for rule in ("failed", "interrupted"):
        kinds = [one.split()[0] for one in house.told() if one.endswith(rule)]
        assert kinds == ["began", "ended"] * (len(kinds) // 2) + ["began"] * (len(kinds) % 2)


def test_a_first_look_tells_what_holds_and_nothing_that_is_over(house: House) -> None:
    for outcome in ("interrupted", "succeeded", "failed"):
        house.ran(outcome)
    house.ran("interrupted", job="clean")
    house.ran("succeeded", job="clean")
    house.watch().look(NOON + MINUTE)
    assert house.told() == ["began copy failed"]


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


def test_a_paused_job_is_not_told_of_again(house: House) -> None:
    watch = house.watch()
    house.ran("failed")
    house.look(watch, NOON)
    with house.runner.state.begin() as connection:
        job_records.pause(connection, "copy", "every 1h", NOON, "anna")
    house.look(watch, NOON + 5 * HOUR)
    assert house.told() == ["began copy failed"]
    with house.runner.state.begin() as connection:
        job_records.resume(connection, "copy")
        actions.record(connection, "anna", "resumed", "copy", "", NOON + 5 * HOUR)
    house.look(watch, NOON + 5 * HOUR + MINUTE)
    assert house.told()[1:] == ["repeated copy failed"]


def test_a_paused_job_is_not_overdue(house: House) -> None:
    watch = house.watch(rules="overdue")
    house.ran("succeeded", NOON - 9 * HOUR)
    house.ran("succeeded", job="clean")
    watch.look(NOON)
    with house.runner.state.begin() as connection:
        job_records.pause(connection, "copy", "every 1h", NOON, "anna")
    watch.look(NOON)
    assert house.told() == ["began copy overdue", "ended copy overdue"]
    assert house.contents()[1].sentence == "copy: it is paused"


def test_a_run_that_finds_nothing_to_do_ends_overdue_and_says_so(house: House) -> None:
    watch = house.watch(rules="overdue")
    house.ran("succeeded", NOON - 9 * HOUR)
    house.ran("succeeded", job="clean")
    watch.look(NOON)
    house.ran("skipped", NOON)
    watch.look(NOON + MINUTE)
    assert house.told() == ["began copy overdue", "ended copy overdue"]
    said = "copy: it was resumed, or a run of it found nothing to do, at 2026-07-01 12:00:50 UTC"
    assert house.contents()[1].sentence == said


def test_notices_of_a_job_that_is_off_or_gone_end(house: House) -> None:
    house.ran("failed")
    house.ran("failed", job="clean")
    house.watch().look(NOON)
    house.changes("copy", disabled_because="COPY_ENABLED=false")
    del house.jobs["clean"]
    house.watch().look(NOON)
    assert house.told()[2:] == ["ended copy failed", "ended clean failed"]
    overs = [content.over for content in house.contents()[2:]]
    assert overs == ["it is switched off: COPY_ENABLED=false", "there is no such job any more"]


def test_an_event_is_told_again_only_if_it_happens_again(house: House) -> None:
    watch = house.watch()
    house.ran("interrupted", NOON)
    house.look(watch, NOON + MINUTE)
    house.look(watch, NOON + 90 * MINUTE)
    assert house.told() == ["began copy interrupted"]
    house.ran("interrupted", NOON + 91 * MINUTE)
    house.look(watch, NOON + 92 * MINUTE)
    assert house.told() == ["began copy interrupted", "repeated copy interrupted"]


def test_overdue_is_not_repeated_beside_failed(house: House) -> None:
    watch = house.watch(rules="failed overdue")
    house.ran("failed")
    house.ran("succeeded", NOON + 9 * HOUR, job="clean")
    for hours in (0, 2, 4):
        house.look(watch, NOON + hours * HOUR)
    begun = ["began copy failed", "began copy overdue"]
    assert house.told() == [*begun, "repeated copy failed", "repeated copy failed"]


def test_without_recovered_only_an_incident_is_closed(house: House) -> None:
    watch = house.watch("notebook", "pagerduty", rules="failed interrupted")
    for outcome in ("failed", "interrupted"):
        house.ran(outcome)
    watch.look(NOON)
    house.ran("succeeded")
    watch.look(NOON)
    begun = ["began copy failed", "began copy interrupted"]
    assert house.told() == [*begun, "ended copy interrupted"]
    assert sorted(house.told("pagerduty")[2:]) == ["ended copy failed", "ended copy interrupted"]


def test_lasting_conditions_are_told_while_they_last(house: House) -> None:
    watch = house.watch(rules="all")
    for number in range(6, -1, -1):
        house.ran("succeeded", NOON - number * HOUR)
    house.ran("succeeded", job="clean")
    going_on = house.ran(None, NOON + MINUTE)
    with house.runner.state.begin() as connection:
        rows = [Quarantined(f"DN{number}", "no location") for number in range(10)]
        quarantine.put(connection, "copy", rows, NOON, going_on)
    house.look(watch, NOON + MINUTE)
    assert house.told() == ["began copy quarantine_growing"]
    house.look(watch, NOON + 3 * MINUTE)
    assert house.told()[1:] == ["began copy ran_long"]
    house.ran("succeeded", NOON + 2 * HOUR, job="clean")
    house.look(watch, NOON + 2 * HOUR)
    assert house.told()[2:] == ["began copy overdue", "repeated copy ran_long"]
    house.ends(going_on, "succeeded", NOON + 2 * HOUR)
    house.ran("succeeded", NOON + 2 * HOUR)
    watch._finder._count_at = 0.0
    house.look(watch, NOON + DAY + MINUTE)
    ended = {"ended copy ran_long", "ended copy quarantine_growing"}
    assert ended <= set(house.told()[4:])


def test_a_notice_carries_the_error_the_log_and_where_to_look(house: House) -> None:
    watch = house.watch()
    house.runner.settings = house.runner.settings.model_copy(update={"web_url": "https://janitor.example.org/"})
    run_id = house.ran("failed", reason="the disk is full")
    line = {"run_id": run_id, "at": NOON, "level": "INFO", "logger": "task"}
    with house.runner.state.begin() as connection:
        connection.execute(insert(run_logs), [line | {"message": f"line {number}"} for number in range(30)])
    watch.look(NOON + MINUTE)
    (content,) = house.contents()
    assert (content.error, content.counts, content.run_id) == ("the disk is full", {"rows": 7}, run_id)
    assert content.log == [f"12:00:30 INFO line {number}" for number in range(10, 30)]
    assert content.next_run_at == NOON.replace(hour=13, second=0)
    assert ("copy", "https://janitor.example.org/jobs/copy") in content.links
    assert (f"run {run_id}", f"https://janitor.example.org/runs/{run_id}") in content.links
    assert content.subject == "copy failed" and content.sentence == "copy: failed: the disk is full"


def test_only_the_daemon_that_leads_tells(house: House) -> None:
    """Given: a failure, and a watch without the lead; then with a lead that another daemon has taken.

    Happens: the watch looks.
    Must hold: nothing is told and no notice is written.
    """
    house.ran("failed")
    fence = house.runner.lead.fence
    house.runner.leadership.take(None)
    watch = house.watch()
    watch.try_look(NOON)
    assert house.told() == []
    house.runner.leadership.take(fence)
    with house.runner.state.begin() as connection:
        connection.execute(update(lease_table).where(lease_table.c.name == leases.DAEMON).values(token=99))
    watch.try_look(NOON)
    assert house.told() == [] and house.rows() == []


def test_the_state_database_away_is_told_from_memory(house: House) -> None:
    watch, path = house.watch(away_seconds=0), str(house.runner.settings.state_database_url.database)
    (post,) = watch._posts
    watch.try_look(NOON)
    house.runner.state.close()
    shutil.move(path, f"{path}.away")
    Path(path).mkdir()
    for _ in range(3):
        watch.try_look(NOON)
    Path(path).rmdir()
    shutil.move(f"{path}.away", path)
    watch.try_look(NOON)
    watch.try_look(NOON)
    assert [(one.kind, one.rule, one.over) for one in post._direct] == [
        ("began", "state_away", ""),
        ("ended", "state_away", "the state database is back"),
    ]


def test_old_notices_are_forgotten_with_their_deliveries(house: House) -> None:
    watch = house.watch()
    for days, outcome in ((400, "failed"), (399, "succeeded"), (398, "failed"), (5, "succeeded"), (4, "failed")):
        house.ran(outcome, NOON - days * DAY)
        house.look(watch, NOON - days * DAY)
    watch._prune_at = 0.0
    house.look(watch, NOON)
    assert [row["ended_at"] for row in house.rows()] == [NOON - 5 * DAY, None]
    assert [one.split()[0] for one in house.told()] == ["began", "ended", "began", "repeated"]


def test_a_repeat_is_left_out_while_deliveries_wait(house: House) -> None:
    watch = house.watch()
    house.ran("failed")
    for hours in range(5):
        watch.look(NOON + hours * HOUR)
    assert house.told() == ["began copy failed"]
    house.ran("succeeded")
    watch.look(NOON + 6 * HOUR)
    assert house.told() == ["began copy failed", "ended copy failed"]
