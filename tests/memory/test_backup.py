"""A backup as a task: into a file whose name may hold the day, and not in a dry run."""

import logging
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import memory
from janitor.errors import Interrupted
from janitor.runs import Run, running
from janitor.state import State, cursors

AT = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def test_a_task_backs_up_what_is_remembered(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory.save_cursor("feed", "one")
    with caplog.at_level(logging.INFO), running(replace(run, started_at=AT)):
        counts = memory.back_up(tmp_path / "backup" / "janitor-%a.db")
    path = tmp_path / "backup" / "janitor-Wed.db"
    assert counts == {"runs": 0, "bytes": path.stat().st_size}
    assert f"{path} holds the state database" in caplog.text
    copy = State(URL.create("sqlite", database=str(path)))
    with copy.read() as connection:
        assert cursors.load(connection, "feed") == "one"
    copy.close()


def test_a_dry_run_backs_up_nothing(run: Run, tmp_path: Path) -> None:
    with running(replace(run, dry_run=True)):
        assert memory.back_up(str(tmp_path / "backup.db")) == {"runs": 0, "bytes": 0}
    assert not (tmp_path / "backup.db").exists()


def test_a_backup_ends_with_its_run(run: Run, tmp_path: Path) -> None:
    run.ask_to_stop(Interrupted("the process is shutting down"))
    with pytest.raises(Interrupted):
        memory.back_up(tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
