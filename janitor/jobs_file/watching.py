"""A jobs file that changes while the daemon runs: all of it is taken over, or nothing."""

import logging
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.checks.required import require
from janitor.errors import BadSetting
from janitor.jobs_file.loading import Loaded, load
from janitor.jobs_file.mistakes import BadJobsFile
from janitor.runs.forks import signals_taken
from janitor.scheduler import Scheduler

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often the files are looked at. On SIGHUP they are read at once."""

Stamps = dict[Path, tuple[int, int, int] | None]


@contextmanager
def watching(scheduler: Scheduler, path: Path, loaded: Loaded, seconds: float = LOOK_SECONDS) -> Iterator[None]:
    """During the block, take over each change of a jobs file and of the files that it includes.

    Call it in the main thread: it takes SIGHUP for itself.
    """
    watcher = Watcher(scheduler, path, loaded)
    thread = threading.Thread(target=watcher.loop, args=(seconds,), name="jobs file", daemon=True)
    with signals_taken({signal.SIGHUP: lambda number, frame: watcher.look_at_once()}):
        thread.start()
        try:
            yield
        finally:
            watcher.stop()


class Watcher:
    """Looks at a jobs file and what it includes, and reads all of it again if a file has changed."""

    def __init__(self, scheduler: Scheduler, path: Path, loaded: Loaded) -> None:
        """`loaded` is what the clock has now."""
        self._scheduler, self._path = scheduler, path
        self._files = loaded.files
        self._stamps = _stamps(self._files)
        self._wake, self._asked, self._stopped = threading.Event(), False, False

    def look_at_once(self) -> None:
        """Ask for the files to be read now, even if none has changed."""
        self._asked = True
        self._wake.set()

    def stop(self) -> None:
        """End the loop."""
        self._stopped = True
        self._wake.set()

    def loop(self, seconds: float) -> None:
        """Look every `seconds`, until `stop` is called."""
        while True:
            self._wake.wait(seconds)
            self._wake.clear()
            if self._stopped:
                return
            self.look()

    def look(self) -> bool:
        """Look once; return True if the jobs were read again and taken over."""
        asked, self._asked = self._asked, False
        stamps = _stamps(self._files)
        if stamps == self._stamps and not asked:
            return False
        # If a file changes while it is read, the next look reads it again.
        self._stamps = stamps
        try:
            loaded = load(self._path, self._scheduler)
            require(self._scheduler.settings, [job for job in loaded.jobs.values() if job.enabled])
            self._scheduler.replace_jobs(loaded.jobs)
        except BadJobsFile as exc:
            for mistake in exc.mistakes:
                log.error("%s", mistake)
            log.error("the changed jobs file %s has mistakes: the jobs stay as they were", self._path)
            return False
        except BadSetting as exc:
            log.error("the changed jobs file %s cannot be taken over, the jobs stay as they were: %s", self._path, exc)
            return False
        self._files, self._stamps = loaded.files, {**_stamps(loaded.files), **stamps}
        log.info("the jobs file %s was read again: it has %d jobs", self._path, len(loaded.jobs))
        return True


def _stamps(files: Iterable[Path]) -> Stamps:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
