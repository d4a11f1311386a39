"""The watch: each thing is told once, however often the watch looks and however often a daemon starts."""

import functools
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from janitor.state import leases, watched
from janitor.state.tables import cursors
from janitor.state.tables import leases as lease_table
from tests.notices.house import NOON, House
from tests.random_inputs import inputs

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


@settings(max_examples=inputs(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_only_the_daemon_that_leads_tells(house: House) -> None:
    """Given: a failure, and a watch without the lead; then with a lead that another daemon took; then with its own.

    Happens: the watch looks.
    Must hold: nothing is told and no notice is written, until it leads.
    """
    house.ran("failed")
    fence = house.runner.lead.fence
    house.runner.leadership.take(None)
    watch = house.watch()
    watch.try_look(NOON)
    assert house.told() == []
    house.runner.leadership.take(fence)
    assert fence is not None
    cases: list[tuple[int, list[str]]] = [(99, []), (fence.token, ["began copy failed"])]
    for token, told in cases:
        with house.runner.state.begin() as connection:
            connection.execute(update(lease_table).where(lease_table.c.name == leases.DAEMON).values(token=token))
        watch.try_look(NOON)
        assert house.told() == told and len(house.rows()) == len(told)


HOSTILE_COUNTS = (
    '{"rows": NaN}',
    '{"rows": Infinity, "more": -Infinity}',
    '{"rows": 1e999}',
    '{"rows": ' + "9" * 5000 + "}",
    '{"rows": ' + "9" * 400 + ', "share": 0.5}',
    '{"rows": {"deep": [[[1]]]}}',
    '["no", "object"]',
    '{"rows": ',
    "[" * 100_000,
    '{"' + "n" * 10_000 + '": "' + "v" * 10_000 + '"}',
    "{" + ", ".join(f'"n{number}": {number}' for number in range(5_000)) + "}",
)


@pytest.mark.parametrize("counts", HOSTILE_COUNTS)
def test_no_counts_keep_a_notice_from_being_told(house: House, counts: str) -> None:
    watch = house.watch()
    house.ran("succeeded", counts=counts)
    house.ran("failed", counts=counts)
    house.ran("failed", job="clean")
    house.look(watch, NOON)
    assert house.told() == ["began copy failed", "began clean failed"]
    told = house.contents()[0].counts
    assert len(json.dumps(told, allow_nan=False)) < 30_000
    assert house.runner.loops.failures["notices"] == 0


def test_a_record_that_nobody_can_read_holds_up_no_other_job(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Given two jobs that fail; one of them has a record with an outcome that no release knows.

    The watch looks, again and again.
    Must hold: the other job's notices are told, and so is the first job's next failure; the record is told once.
    """
    watch = house.watch()
    house.look(watch, NOON)
    house.ran("exploded", job="copy")
    house.ran("failed", job="clean")
    for minutes in range(4):
        house.look(watch, NOON + minutes * MINUTE)
    house.ran("succeeded", job="clean")
    house.ran("failed", job="copy")
    house.look(watch, NOON + 5 * MINUTE)
    house.look(house.watch(), NOON + 6 * MINUTE)
    assert sorted(house.told()) == ["began clean failed", "began copy failed", "ended clean failed"]
    assert caplog.text.count("which this release does not know: notices leave it out") == 1
    assert house.runner.loops.troubles == []


def test_rules_that_are_missing_hold_up_no_other_job(house: House, caplog: pytest.LogCaptureFixture) -> None:
    watch = house.watch()
    house.jobs = {"late": replace(house.jobs["copy"], id="late"), **house.jobs}
    watch._jobs = house.jobs
    house.ran("failed", job="clean")
    for minutes in range(4):
        house.look(watch, NOON + minutes * MINUTE)
    assert house.told() == ["began clean failed"]
    assert caplog.text.count("notices: job late is set aside, and the rest goes on: KeyError: 'late'") == 1
    assert [one.duty for one in house.runner.loops.troubles] == ["notices"]


def test_a_position_that_cannot_be_read_begins_anew(house: House) -> None:
    house.look(house.watch(), NOON)
    with house.runner.state.begin() as connection:
        connection.execute(update(cursors).where(cursors.c.name == watched.WATCHED).values(position='{"upto": []}'))
    watch = house.watch()
    house.look(watch, NOON)
    house.ran("failed")
    house.look(watch, NOON + MINUTE)
    assert house.told() == ["began copy failed"]


def test_old_notices_are_forgotten_with_their_deliveries(house: House) -> None:
    watch = house.watch()
    for days, outcome in ((400, "failed"), (399, "succeeded"), (398, "failed"), (5, "succeeded"), (4, "failed")):
        house.ran(outcome, NOON - days * DAY)
        house.look(watch, NOON - days * DAY)
    watch._prune_at = 0.0
    house.look(watch, NOON)
    assert [row["ended_at"] for row in house.rows()] == [NOON - 5 * DAY, None]
    assert [one.split()[0] for one in house.told()] == ["began", "ended", "began", "repeated"]
