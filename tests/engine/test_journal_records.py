"""The journal's records: which lost slots become one record, and which errors are one record's own."""

import logging
import sqlite3
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL, text

from janitor.engine.journal_records import (
    FAILURES,
    Record,
    Stretch,
    concerns_one,
    is_recorded,
    is_unfit,
    merged,
    tell_given_up,
)
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.jobs import schedules
from janitor.runs import Fence, Outcome
from janitor.state.slot_records import LostSlots
from tests.small_engine import migrated
from tests.state.history import MINUTE, NOW

LEAD = (Fence("daemon", 1),)


def lost(first: int, last: int, job: str = "a", reason: str = "away", fences: tuple[Fence, ...] = LEAD) -> Record:
    """A record of the slots of some minutes of the hour, that were lost."""
    moments, count = (NOW + first * MINUTE, NOW + last * MINUTE), last - first + 1
    slots = LostSlots(job, *moments, count, Outcome.FAILED, reason, schedules.every(60))
    return Record(lambda connection: None, fences, kept=True, stretch=Stretch(slots))


def minutes(records: list[Record]) -> list[tuple[str, int, int, int]]:
    """The job, the first and last minute, and the count of each record of lost slots."""
    found = [record.stretch.lost for record in records if record.stretch is not None]
    return [(one.job, (one.first_at - NOW) // MINUTE, (one.last_at - NOW) // MINUTE, one.slots) for one in found]


def test_slots_in_a_row_become_one_record_but_the_first() -> None:
    # The first record may be in the state database already: only its answer was lost.
    assert minutes(merged([lost(1, 1), lost(2, 2), lost(3, 5), lost(6, 6)])) == [("a", 1, 1, 1), ("a", 2, 6, 5)]


def test_each_job_has_stretches_of_its_own() -> None:
    mixed = [lost(minute, minute, job) for minute in (1, 2, 3) for job in "ab"]
    assert minutes(merged(mixed)) == [("a", 1, 1, 1), ("b", 1, 1, 1), ("a", 2, 3, 2), ("b", 2, 3, 2)]


@pytest.mark.parametrize(
    "later",
    [lost(4, 4), lost(3, 3, reason="full"), lost(3, 3, fences=(Fence("daemon", 2),)), lost(2, 2)],
    ids=["a slot between", "another reason", "another lease", "the same slot"],
)
def test_what_does_not_follow_is_a_record_of_its_own(later: Record) -> None:
    records = [lost(1, 1), lost(2, 2), later]
    assert merged(records) == records


def test_a_record_without_slots_stays_where_it_was() -> None:
    end = Record(lambda connection: None, kept=True)
    records = [end, lost(1, 1), end, lost(2, 2), lost(3, 3), end]
    found = merged(records)
    assert found == [end, records[1], end, records[3], end]
    assert minutes(found) == [("a", 1, 1, 1), ("a", 2, 3, 2)]


def error_of(statement: str, folder: Path) -> JanitorError:
    """What the state database says to a statement."""
    state = migrated(URL.create("sqlite", database=str(folder / "state.db")))
    with pytest.raises(Rejected) as caught, state.begin() as connection:
        connection.execute(text(statement))
    state.close()
    return caught.value


def test_a_row_that_is_there_concerns_one_record(tmp_path: Path) -> None:
    error = error_of("INSERT INTO configs VALUES ('digest', 'one'), ('digest', 'two')", tmp_path)
    assert is_recorded(error) and concerns_one(error)


def test_a_state_that_says_no_concerns_all_records(tmp_path: Path) -> None:
    error = error_of("INSERT INTO nowhere VALUES (1)", tmp_path)
    assert not is_recorded(error) and not concerns_one(error)
    assert not concerns_one(Unavailable("away"))


def test_what_a_record_holds_may_be_refused(tmp_path: Path) -> None:
    unfit = [
        caused(Rejected("too long"), pymysql.err.OperationalError(1153, "too long")),
        caused(Rejected("no"), pymysql.err.DataError(1366, "no text")),
        caused(Rejected("no"), sqlite3.DataError("string or blob too big")),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
    ]
    assert all(is_unfit(error) and concerns_one(error) and isinstance(error, FAILURES) for error in unfit)
    for error in (
        caused(Unavailable("gone"), pymysql.err.OperationalError(2006, "gone")),
        caused(Rejected("twice"), sqlite3.IntegrityError()),
        error_of("INSERT INTO nowhere VALUES (1)", tmp_path),
        Fenced("lost"),
    ):
        assert not is_unfit(error)


def caused(error: JanitorError, cause: Exception) -> JanitorError:
    error.__cause__ = cause
    return error


def test_a_value_that_does_not_fit_concerns_one_record() -> None:
    for cause in (sqlite3.DataError("too long"), pymysql.err.DataError(1406, "too long")):
        error = caused(Rejected("no"), cause)
        assert concerns_one(error) and not is_recorded(error)
    assert concerns_one(Fenced("lost")) and concerns_one(ValueError("odd"))


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (caused(Rejected("twice"), sqlite3.IntegrityError()), logging.INFO, "already recorded: twice"),
        (Fenced("the lease is lost"), logging.WARNING, "not recorded: the lease is lost"),
        (ValueError("odd"), logging.ERROR, "a record cannot be written and is given up"),
    ],
)
def test_a_record_that_is_given_up_is_logged(
    error: Exception, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        tell_given_up(error)
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(level, said)]
