"""What the lab does later, in the order in which it is due."""

from datetime import datetime, timedelta, timezone

from janitor.demo.deeds import Act, Agenda, Deed, written
from tests.fixtures import NOW

SECOND = timedelta(seconds=1)


def act(words: str) -> Act:
    """Make an act that says these words."""
    return lambda now: Deed("scans", words)


def said(agenda: Agenda, now: datetime | None = None) -> str:
    """Do the next act, and return its words; empty if there is none."""
    found = agenda.take(now)
    return "" if found is None else found(NOW).words


def test_an_act_is_done_when_it_is_due_and_once() -> None:
    agenda = Agenda()
    for seconds, words in ((5, "last"), (2, "first"), (2, "second")):
        agenda.add(seconds, NOW, act(words))
    assert said(agenda, NOW + 1.9 * SECOND) == ""
    assert [said(agenda, NOW + 2 * SECOND) for _ in range(3)] == ["first", "second", ""]
    assert said(agenda, NOW + 9 * SECOND) == "last"


def test_without_a_moment_the_next_act_is_done_early() -> None:
    agenda = Agenda()
    for seconds, words in ((500, "last"), (200, "first")):
        agenda.add(seconds, NOW, act(words))
    assert [said(agenda) for _ in range(3)] == ["first", "last", ""]


def test_a_moment_is_written_to_the_second() -> None:
    assert written(datetime(2026, 7, 1, 12, 0, 5, 900_000, tzinfo=timezone.utc)) == "2026-07-01 12:00:05"
