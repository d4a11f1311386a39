"""Memos: what a daemon knew last, in files; one of them is enough, and none of them is in the way."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.memos import Memo, Memos, memos_of
from janitor.state.identity import Identity
from tests.small_engine import now, settings_for

MEMO = Memo("5f3a", 2, 70, now(), 41)


def test_a_memo_is_read_as_it_was_written(tmp_path: Path) -> None:
    memos = Memos([tmp_path / "one", tmp_path / "two"])
    assert memos.newest() is None
    memos.write(MEMO)
    for gone in sorted(tmp_path.iterdir()):
        assert memos.newest("5f3a") == memos.newest() == MEMO
        gone.unlink()
    assert memos.newest() is None and list(tmp_path.iterdir()) == []


def test_the_memo_of_the_same_state_database_counts_first(tmp_path: Path) -> None:
    other = replace(MEMO, id="other", at=MEMO.at + timedelta(hours=1))
    newer = replace(MEMO, beat=71)
    for name, memo in (("one", MEMO), ("two", newer), ("three", other)):
        Memos([tmp_path / name]).write(memo)
    memos = Memos([tmp_path / name for name in ("one", "two", "three")])
    assert memos.newest("5f3a") == newer and memos.newest("unknown") == memos.newest() == other


def test_a_copy_at_another_place_has_a_memo_of_its_own(tmp_path: Path) -> None:
    # Given two daemons with copies of one state database at two places. They share one folder for their memos.
    # What must hold: each finds its own memo, whoever wrote last; a copy at a third place finds the newest.
    ours, theirs = Memos([tmp_path / "one"], "here"), Memos([tmp_path / "one"], "there")
    ours.write(MEMO)
    assert theirs.newest("5f3a") == replace(MEMO, place="here")
    theirs.write(replace(MEMO, generation=3))
    assert ours.newest("5f3a") == replace(MEMO, place="here")
    assert theirs.newest("5f3a") == replace(MEMO, generation=3, place="there")
    assert Memos([tmp_path / "one"], "elsewhere").newest("5f3a") == replace(MEMO, generation=3, place="there")


def test_the_memo_of_another_state_database_stays(tmp_path: Path) -> None:
    # As after a loss: a new state database was made at the place of the first, and then the first came back.
    memos = Memos([tmp_path / "one"], "here")
    memos.write(MEMO)
    memos.write(replace(MEMO, id="other"))
    assert memos.newest("5f3a") == replace(MEMO, place="here")


def test_what_was_at_this_place_is_told_first(tmp_path: Path) -> None:
    later = replace(MEMO, id="other", at=MEMO.at + timedelta(hours=1))
    Memos([tmp_path / "one"], "here").write(MEMO)
    Memos([tmp_path / "one"], "there").write(later)
    assert Memos([tmp_path / "one"], "here").newest("unknown") == replace(MEMO, place="here")
    assert Memos([tmp_path / "one"], "elsewhere").newest("unknown") == replace(later, place="there")


def test_a_memo_never_goes_back(tmp_path: Path) -> None:
    memos, later = Memos([tmp_path / "one"]), replace(MEMO, at=MEMO.at + timedelta(hours=1))
    for memo in (later, MEMO, replace(MEMO, beat=69, at=later.at), replace(MEMO, generation=1, beat=99)):
        memos.write(memo)
        assert memos.newest() == later


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"id": "x", "at": 7}', '{"at": "2026-01-01T00:00:00"}', "\udcff"])
def test_what_is_no_memo_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "one-memo-0f").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert Memos([tmp_path / "one"]).newest() is None


def test_a_memo_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memos = Memos([tmp_path / "gone" / "one", tmp_path / "two"])
    memos.write(MEMO)
    memos.write(MEMO)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1 and "cannot be written, so a restored backup may not be noticed" in told[0].getMessage()
    assert memos.newest() == MEMO


@pytest.mark.parametrize(
    ("id", "age", "ahead"),
    [("5f3a", (2, 69), True), ("5f3a", (1, 99), True), ("5f3a", (2, 70), False), ("5f3a", (3, 1), False)]
    + [("other", (1, 1), False)],
)
def test_a_memo_is_ahead_of_what_went_back(id: str, age: tuple[int, int], ahead: bool) -> None:
    assert MEMO.is_ahead_of(Identity(id, *age, beat_at=now())) is ahead


def test_memos_lie_beside_the_heartbeat_and_beside_a_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(".")
    linked = settings_for(URL.create("sqlite", database=str(tmp_path / "link" / "state.db")), tmp_path)
    lite = settings_for(URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path)
    server = settings_for(URL.create("mysql+pymysql", "janitor", host="127.0.0.1", database="state"), tmp_path)
    assert [path.name for path in memos_of(lite).beside] == ["heartbeat", "state.db"]
    assert [path.name for path in memos_of(server).beside] == ["heartbeat"]
    assert memos_of(lite).place == memos_of(linked).place == str(tmp_path / "state.db")
    assert memos_of(server).place == "127.0.0.1:3306/state"
    memos_of(lite).write(MEMO)
    assert sorted(path.name[:-8] for path in tmp_path.glob("*-memo-*")) == ["heartbeat-memo-", "state.db-memo-"]
