"""A task's cursor: what was saved last, under each name."""

from datetime import timedelta

import pytest

from janitor import memory
from janitor.runs import Run
from janitor.state import State, cursors, identity
from tests.small_engine import now


def test_a_cursor_is_what_was_saved_last(run: Run) -> None:
    assert memory.cursor("feed") is None
    memory.save_cursor("feed", "one")
    memory.save_cursor("feed", "two")
    memory.save_cursor("other", "three")
    assert memory.cursor("feed") == "two"


def test_a_cursor_that_a_backup_brought_back_is_told(run: Run, state: State, caplog: pytest.LogCaptureFixture) -> None:
    # Given a cursor, and a backup with it that was restored since. The task reads its cursor.
    # The run's log says what is done again, until the cursor is saved anew.
    memory.save_cursor("feed", "one")
    with state.begin() as connection:
        found, later = identity.ensure(connection, now()), now() + timedelta(hours=1)
        identity.restored(connection, found, found.age, later, later - timedelta(minutes=7))
    assert memory.cursor("feed") == "one" and memory.cursor("other") is None
    assert caplog.text.count("the cursor feed is that of a backup: it was saved at") == 1
    assert f"until {later - timedelta(minutes=7):%Y-%m-%d %H:%M:%S UTC} is done again" in caplog.text
    with state.begin() as connection:
        cursors.save(connection, "feed", "two", later + timedelta(seconds=1), 2)
    assert memory.cursor("feed") == "two" and caplog.text.count("is that of a backup") == 1
