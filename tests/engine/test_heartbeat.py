"""The heartbeat: touched while the clock goes, and required at the start."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine import heartbeat
from janitor.engine.runner import Runner
from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from tests.small_engine import nothing, runner_for, settings_for, tick


def test_the_heartbeat_is_touched_while_the_clock_goes(starting: Runner, clock: Scheduler) -> None:
    file = starting.settings.heartbeat_file
    clock.add_job(nothing, "interval", seconds=1)
    beats = set()

    def seen() -> bool:
        if file.exists():
            beats.add(file.stat().st_mtime_ns)
        return len(beats) >= 3

    assert tick(clock, starting, seen)


def test_a_heartbeat_that_cannot_be_touched_ends_the_start(lite_url: URL, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    settings = settings_for(lite_url, tmp_path, HEARTBEAT_FILE=str(tmp_path / "file" / "heartbeat"))
    with runner_for(settings, leads=False) as runner, pytest.raises(BadSetting, match="HEARTBEAT_FILE is .*written"):
        Scheduler(settings).daemon(runner).run()


def test_the_file_holds_what_fails_until_it_is_well_again(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    beating = heartbeat.Heartbeat(path)
    for told in ([], ["a fails", "b fails: \ud800"], ["b fails"], []):
        beating.beat(troubles=told)
        assert heartbeat.troubles(path) == [line.replace("\ud800", "?") for line in told]
    assert heartbeat.troubles(tmp_path / "none") == []
