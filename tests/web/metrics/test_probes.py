"""What probes are told, whoever tells it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.obstacles import RECORDING
from janitor.scheduler import Scheduler
from janitor.web.desk import Desk
from janitor.web.metrics import probes, vitals
from janitor.web.metrics.vitals import Vitals
from tests.small_engine import eventually, runner_for, settings_for


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk without a server, whose clock does not go."""
    monkeypatch.setattr(vitals, "WRITE_KEEP_SECONDS", 0.05)
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path)
    with runner_for(settings) as runner:
        yield Desk(Scheduler(settings).daemon(runner))


def test_whether_the_clock_ticks_is_told_without_the_state_database(desk: Desk) -> None:
    desk.state.close()
    assert probes.live(desk) == (503, {"status": "the clock does not tick", "silent_seconds": None})
    desk.daemon.heartbeat.beat()
    assert probes.live(desk)[0] == 200


def test_a_state_database_that_takes_no_writes_is_told(desk: Desk) -> None:
    # Given: a daemon that is ready. What happens: the state database can be read, and refuses what is written.
    # What must hold: the daemon is not ready until it takes writes again.
    read = Vitals(desk)
    assert probes.ready(desk, read) == (200, {"status": "ready", "role": "standing by"})
    with desk.state.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE UPDATE ON leases BEGIN SELECT RAISE(FAIL, 'full'); END")
    eventually(lambda: probes.ready(desk, read)[1]["status"] == "the state database takes no writes")
    with desk.state.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    eventually(lambda: probes.ready(desk, read)[0] == 200)


def test_a_server_that_has_room_for_no_new_rows_takes_no_writes(desk: Desk) -> None:
    # Given: a daemon that is ready. What happens: what runs record is refused again and again, as a table has no more
    # room; a small change of what is there already would do.
    # What must hold: the state database takes no writes, until records are written again.
    read = Vitals(desk)
    assert probes.ready(desk, read)[0] == 200
    desk.runner.obstacles.meet(RECORDING, "the disk or table is full")
    assert desk.runner.obstacles.troubles == [], "an error that comes once is no obstacle"
    desk.runner.obstacles.meet(RECORDING, "the disk or table is full")
    eventually(lambda: probes.ready(desk, read)[1]["status"] == "the state database takes no writes")
    assert "the disk or table is full" in (read.writing.get(30).failure or "")
    desk.runner.obstacles.overcome(RECORDING)
    eventually(lambda: probes.ready(desk, read)[0] == 200)
