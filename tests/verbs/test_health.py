"""The verb `health`: whether the clock ticks, and whether a job is overdue."""

import os
import re
import sqlite3
import time

from janitor.engine.heartbeat import Heartbeat
from tests.command_line import CommandLine


def test_health_needs_a_fresh_heartbeat(house: CommandLine) -> None:
    beat = house.folder / "beat"
    missing = house("health", HEARTBEAT_FILE="beat")
    assert missing.code == 1 and "is the daemon running?" in missing.out
    beat.touch()
    assert house("health", HEARTBEAT_FILE="beat").code == 0
    fine = house("health", "--jobs", HEARTBEAT_FILE="beat")
    assert fine.code == 0 and "and no job is overdue" in fine.out
    with sqlite3.connect(house.folder / "var" / "janitor.db") as connection:
        connection.execute("INSERT INTO jobs VALUES ('count', 'every 1h', 1, '2026-01-01 07:00:00.000000', NULL, NULL)")
    late = house("health", "--jobs", HEARTBEAT_FILE="beat")
    assert late.code == 1 and late.out == "not healthy: count is overdue since 2026-01-01 09:00:05 UTC\n"
    long_ago = time.time() - 31
    os.utime(beat, (long_ago, long_ago))
    stale = house("health", HEARTBEAT_FILE="beat")
    assert stale.code == 1 and re.fullmatch(r"not healthy: the clock ticked 3\d s ago .*\n", stale.out)


def test_a_start_that_is_refused_looks_like_no_clock_that_ticks(house: CommandLine) -> None:
    beat, refused = house.folder / "beat", {"HEARTBEAT_FILE": "beat", "WEB_ENABLED": "true", "WEB_HOST": "0.0.0.0"}
    assert house(**refused).code == 2 and house("health", HEARTBEAT_FILE="beat").code == 1
    beat.touch()
    os.utime(beat, (1, 1))
    assert house(**refused).code == 2 and beat.stat().st_mtime == 1


def test_a_daemon_with_a_part_that_fails_is_not_healthy(house: CommandLine) -> None:
    beat = Heartbeat(house.folder / "beat")
    beat.beat(troubles=["notices fails again and again", "pings fails\tagain"])
    told = house("health", HEARTBEAT_FILE="beat")
    assert told.code == 1
    assert told.lines == ["not healthy: notices fails again and again", "not healthy: pings fails again"]
    beat.beat()
    assert house("health", HEARTBEAT_FILE="beat").code == 0
