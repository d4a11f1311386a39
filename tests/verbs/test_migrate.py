"""The verb `migrate`: the state database of the release before is backed up, looked at, and brought up to date."""

import pytest
from sqlalchemy import make_url

from janitor.verbs.assembly import Assembly
from janitor.verbs.backup import backup
from janitor.verbs.check import check
from janitor.verbs.history import history
from janitor.verbs.migrate import migrate
from tests.state.migrations.older import older
from tests.verbs.house import done


def test_an_older_state_database_is_brought_up_to_date(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    older(make_url("sqlite:///older.db"), "0005").close()
    assembly.given["STATE_DATABASE_URL"] = "sqlite:///older.db"
    assert done(check, assembly) == 0
    note = (
        "note   STATE_DATABASE_URL: the state database at older.db has schema 0005, and this release needs schema 0007"
    )
    assert note in capsys.readouterr().out
    done(backup, assembly, "backup.db")
    assert "backup.db holds the state database: " in capsys.readouterr().out
    done(migrate, assembly, "--check")
    first, *steps = capsys.readouterr().out.splitlines()
    assert first.startswith("the state database at older.db has schema 0005, and this release needs schema 0007: 29 st")
    assert steps[0] == "schema 0006, step 1: make the table memories"
    assert assembly.unopened_state.version() == "0005"
    done(migrate, assembly)
    told = capsys.readouterr()
    assert told.out == "the state database at older.db had schema 0005, and has schema 0007 now\n"
    assert "schema 0007, step 22: make the table turns: done in " in told.err
    done(history, assembly)
    assert "follow" in capsys.readouterr().out
