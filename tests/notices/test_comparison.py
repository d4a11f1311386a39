"""Conditions against open notices: what begins, what is told again, and what ends, with the reason."""

from datetime import timedelta

from janitor.state import actions, job_records, quarantine
from janitor.state.quarantine import Quarantined
from tests.notices.house import NOON, House

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


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
