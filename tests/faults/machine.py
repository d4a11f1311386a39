"""A machine whose clock the test sets, with a real daemon on it: libfaketime gives the daemon a false time of day."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Row

from janitor.jobs import schedules
from tests.daemons import Daemon
from tests.small_engine import check_slots, eventually, migrated, rows_of

LIBRARY = next(
    (
        path
        for path in map(Path, ("/usr/lib", "/usr/lib64", "/usr/local/lib"))
        for path in path.glob("**/libfaketimeMT*")
    ),
    None,
)
needs_faketime = pytest.mark.skipif(LIBRARY is None, reason="libfaketime (Debian's package faketime) is not installed")
HOUR = 3600


def with_offset(file: Path) -> dict[str, str]:
    """Return the environment of a process whose time of day differs by what a file says; waiting goes on as usual."""
    preload = {"LD_PRELOAD": str(LIBRARY)} if LIBRARY else {}
    fake = {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1"}
    return {**preload, **fake, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def set_offset(file: Path, seconds: float) -> None:
    """Let a file say by how many seconds a process's time of day is ahead; it is behind if the number is negative."""
    written = file.with_suffix(".new")
    written.write_text(f"{seconds:+g}\n", encoding="ascii")
    os.replace(written, file)


class Machine:
    """A daemon on a machine whose clock the test sets. Only the time of day is false: waiting goes on as usual."""

    def __init__(self, start: Callable[..., Daemon], url: URL, folder: Path) -> None:
        self.state, self.url, self.folder = migrated(url), url, folder
        self._start, self._offset = start, folder / "offset"
        self.set(0)
        self.daemon = self.begin()

    def begin(self) -> Daemon:
        """Start the daemon."""
        self.daemon = self._start(self.url, **with_offset(self._offset))
        return self.daemon

    def set(self, offset: float) -> None:
        """Set its clock so many seconds after the true time, or before it if the number is negative."""
        self.offset = timedelta(seconds=offset)
        set_offset(self._offset, offset)

    def now(self) -> datetime:
        """Return the time of its clock."""
        return datetime.now(UTC) + self.offset

    def runs(self, job: str = "job0") -> Sequence[Row[Any]]:
        """Return the runs of a job that have slots, in the order of the slots."""
        rows = [row for row in rows_of(self.state, job) if row.slot_at is not None]
        return sorted(rows, key=lambda row: row.slot_at)

    def goes_on(self, times: int = 3) -> None:
        """Wait until so many slots after now have succeeded."""
        since, last = self.now(), max((row.id for row in rows_of(self.state)), default=0)
        eventually(
            lambda: times
            <= sum(row.outcome == "succeeded" and row.slot_at > since and row.id > last for row in self.runs())
        )

    def check(self) -> None:
        """Stop the daemon, and check: each slot has one outcome; only runs that succeeded acted, and each once."""
        assert self.daemon.end() == 0, self.daemon.text[-2000:]
        for job in ("job0", "job1", "strict"):
            check_slots(self.state, job, schedules.every(1))
        lines = (self.folder / "effects").read_text(encoding="ascii").splitlines()
        acted = Counter(int(line.split()[2]) for line in lines)
        rows = [row for row in rows_of(self.state) if row.job != "scribe"]
        others = [row for row in rows if row.outcome not in ("succeeded", "missed", "skipped", "interrupted")]
        assert not others, "\n".join(f"{row.job} {row.slot_at} {row.outcome}: {row.reason}" for row in others)
        assert [row for row in rows if acted.pop(row.id, 0) != (row.outcome == "succeeded")] == []
        assert not acted
