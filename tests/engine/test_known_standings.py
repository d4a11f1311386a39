"""Known standings: what is read anew, and when."""

from pathlib import Path

import pytest
from sqlalchemy import URL, delete, text

from janitor.engine.known_standings import KnownStandings
from janitor.errors import Rejected
from janitor.state.tables import runs
from tests.small_engine import migrated, now, remember_run


def test_a_failed_read_of_all_is_made_again(tmp_path: Path) -> None:
    """Given two jobs with a success each, and a look at them; the success of one is deleted.

    All is to be read anew, and the state database fails in the middle of it. The next look must read all, not only
    what is new: else the deleted success would be known for ten minutes more.
    """
    time = 1000.0
    state, known = migrated(URL.create("sqlite", database=str(tmp_path / "state.db"))), KnownStandings(lambda: time)
    for job in ("crawl", "report"):
        remember_run(state, job, now())
    with state.read() as connection:
        assert {job: found.success for job, found in known.read(connection, ["crawl", "report"]).items()} == {
            "crawl": 1,
            "report": 2,
        }
    with state.begin() as connection:
        connection.execute(delete(runs).where(runs.c.job == "crawl"))
        connection.execute(text("ALTER TABLE run_uses RENAME TO away"))
    time += 601
    with pytest.raises(Rejected), state.read() as connection:
        known.read(connection, ["crawl", "report"])
    with state.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO run_uses"))
    time += 1
    with state.read() as connection:
        assert known.read(connection, ["crawl", "report"])["crawl"].success is None
    state.close()
