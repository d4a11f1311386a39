"""The heartbeat: touched while the clock goes, and required at the start."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from tests.small_engine import nothing, runner_for, settings_for, tick


def test_the_heartbeat_is_touched_while_the_clock_goes(starting: Runner, clock: Scheduler) -> None:
    heartbeat = starting.settings.heartbeat_file
    clock.add_job(nothing, "interval", seconds=1)
    beats = set()

    def seen() -> bool:
        if heartbeat.exists():
            beats.add(heartbeat.stat().st_mtime_ns)
        return len(beats) >= 3

    assert tick(clock, starting, seen)


def test_a_heartbeat_that_cannot_be_touched_ends_the_start(lite_url: URL, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    settings = settings_for(lite_url, tmp_path, HEARTBEAT_FILE=str(tmp_path / "file" / "heartbeat"))
    with runner_for(settings, leads=False) as runner, pytest.raises(BadSetting, match="HEARTBEAT_FILE is .*written"):
        Scheduler(settings).daemon(runner).run()
