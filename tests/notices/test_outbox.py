"""The outbox: what a notice carries with it, and for which channels it is put there."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from janitor.logs.mask import Mask
from janitor.state.tables import run_logs
from tests.notices.house import NOON, House

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


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


def test_a_secret_that_stands_on_record_goes_to_no_channel(house: House) -> None:
    # Given: a run of before a word was known as a secret, with the word in its reason and in its log.
    # What happens: its failure is told. What must hold: the word is nowhere in what a channel gets.
    house.runner.mask, watch = Mask(["hidden-word"]), house.watch()
    run_id = house.ran("failed", reason="no hidden-word today")
    line = {"run_id": run_id, "at": NOON, "level": "INFO", "logger": "task", "message": "it is hidden-word"}
    with house.runner.state.begin() as connection:
        connection.execute(insert(run_logs), [line])
    watch.look(NOON + MINUTE)
    (content,) = house.contents()
    assert (content.error, content.log) == ("no *** today", ["12:00:30 INFO it is ***"])
    assert content.sentence == "copy: failed: no *** today"


@pytest.mark.parametrize("trigger", ["notices", "deliveries"])
def test_a_step_that_the_database_refuses_holds_up_no_other(house: House, trigger: str) -> None:
    """Given a state database that refuses whatever tells of one of two jobs.

    The watch looks, again and again.
    Must hold: the other job's notice is told, and what is refused is a condition.
    """
    watch = house.watch()
    watch.look(NOON)
    column = "new.job = 'copy'" if trigger == "notices" else "new.content LIKE '%\"copy\"%'"
    refuse = "SELECT RAISE(ABORT, 'CHECK constraint failed: not this one')"
    with house.runner.state.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuses BEFORE INSERT ON {trigger} WHEN {column} BEGIN {refuse}; END"
        )
    house.ran("failed", job="copy")
    house.ran("failed", job="clean")
    for minutes in range(3):
        watch.look(NOON + minutes * MINUTE)
    assert house.told() == ["began clean failed"]
    assert [one.duty for one in house.runner.loops.troubles] == ["notices"]
    with house.runner.state.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuses")
    watch.look(NOON + 4 * MINUTE)
    assert house.told() == ["began clean failed", "began copy failed"]


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


def test_a_repeat_is_left_out_while_deliveries_wait(house: House) -> None:
    watch = house.watch()
    house.ran("failed")
    for hours in range(5):
        watch.look(NOON + hours * HOUR)
    assert house.told() == ["began copy failed"]
    house.ran("succeeded")
    watch.look(NOON + 6 * HOUR)
    assert house.told() == ["began copy failed", "ended copy failed"]
