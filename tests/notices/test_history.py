"""A job's history: what a record adds to it, and what it lets go."""

from janitor.notices.history import MOST_SINCE, History
from janitor.runs import Outcome
from tests.notices.rules.records import record


def after(*outcomes: Outcome, keep: int = 2) -> History:
    """Return the history of runs with these outcomes; their ids count from 1."""
    found = History()
    for id, outcome in enumerate(outcomes, start=1):
        found = found.and_then(record(id, outcome), keep)
    return found


SUCCEEDED, FAILED, TIMED_OUT, MISSED = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.MISSED


def test_a_success_begins_anew_and_the_oldest_go() -> None:
    found = after(SUCCEEDED, FAILED, SUCCEEDED, TIMED_OUT, SUCCEEDED)
    assert [one.id for one in found.successes] == [3, 5]
    assert (found.since, found.failures) == ((), 0)


def test_failures_are_counted_even_if_their_records_go() -> None:
    found = after(SUCCEEDED, *[FAILED, TIMED_OUT, MISSED] * MOST_SINCE)
    assert found.failures == 2 * MOST_SINCE and len(found.since) == MOST_SINCE
    assert found.since[-1].id == 1 + 3 * MOST_SINCE


def test_missed_slots_are_no_run() -> None:
    found = after(SUCCEEDED, FAILED, MISSED)
    assert [one.id for one in found.runs] == [1, 2] and found.ends_missed
    assert found.last_run is not None and found.last_run.id == 2
    caught_up = found.and_then(record(4), 2)
    assert caught_up.after_missed and not caught_up.ends_missed


def test_the_newest_record_of_an_outcome_is_found() -> None:
    found = after(FAILED, SUCCEEDED, FAILED, MISSED, TIMED_OUT, MISSED)
    newest = found.newest(FAILED, TIMED_OUT)
    assert newest is not None and newest.id == 5
    assert found.newest(SUCCEEDED) is None, "only records after the last success count"
    assert History().last_run is None
