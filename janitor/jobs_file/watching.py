"""A jobs file that changes while the daemon runs: all of it is taken over, or nothing."""

import logging
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from janitor.checks.required import require
from janitor.errors import BadSetting
from janitor.jobs_file.loading import Loaded, load
from janitor.jobs_file.mistakes import BadJobsFile
from janitor.loops import Loops
from janitor.runs.forks import signals_taken
from janitor.scheduler import Scheduler

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often the files are looked at. On SIGHUP they are read at once."""

Stamp = tuple[str, int, int, int]
Stamps = dict[Path, Stamp | None]


@contextmanager
def watching(
    scheduler: Scheduler, path: Path, loaded: Loaded, loops: Loops, seconds: float = LOOK_SECONDS
) -> Iterator[None]:
    """During the block, take over each change of a jobs file and of the files that it includes.

    Call it in the main thread: it takes SIGHUP for itself.
    """
    watcher = Watcher(scheduler, path, loaded)

    def look() -> float:
        watcher.look()
        return seconds

    def look_at_once(number: int, frame: FrameType | None) -> None:
        watcher.ask()
        loop.wake()

    loop = loops.loop("jobs file", look, first=seconds)
    with signals_taken({signal.SIGHUP: look_at_once}):
        loop.start()
        try:
            yield
        finally:
            loop.ask_to_stop()


class Watcher:
    """Looks at a jobs file and what it includes, and reads all of it again if a file has changed."""

    def __init__(self, scheduler: Scheduler, path: Path, loaded: Loaded) -> None:
        """`loaded` is what the clock has now."""
        self._scheduler, self._path = scheduler, path
        self._files = loaded.files
        self._stamps = _stamps(self._files)
        self._asked = False

    def ask(self) -> None:
        """Have the files read at the next look, even if none has changed; a signal's handler may call it."""
        self._asked = True

    def look(self) -> bool:
        """Look once; return True if the jobs were read again and taken over."""
        with ExitStack() as if_it_fails:
            if self._asked:
                if_it_fails.callback(self.ask)
            asked, self._asked = self._asked, False
            is_new = self._look(asked)
            if_it_fails.pop_all()
        return is_new

    def _look(self, asked: bool) -> bool:
        stamps = _stamps(self._files)
        if stamps == self._stamps and not asked:
            return False
        try:
            loaded = load(self._path, self._scheduler)
            require(self._scheduler.settings, [job for job in loaded.jobs.values() if job.enabled])
            self._scheduler.replace_jobs(loaded.jobs)
        except BadJobsFile as exc:
            for mistake in exc.mistakes:
                log.error("%s", mistake)
            log.error("the changed jobs file %s has mistakes: the jobs stay as they were", self._path)
            self._stamps = stamps
            return False
        except BadSetting as exc:
            log.error("the changed jobs file %s cannot be taken over, the jobs stay as they were: %s", self._path, exc)
            self._stamps = stamps
            return False
        # If a file changes while it is read, the next look reads it again.
        self._files, self._stamps = loaded.files, {**_stamps(loaded.files), **stamps}
        log.info("the jobs file %s was read again: it has %d jobs", self._path, len(loaded.jobs))
        return True


def _stamps(files: Iterable[Path]) -> Stamps:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    # Two releases may share a file by a hard link: what the path leads to counts too.
    return os.path.realpath(file), found.st_mtime_ns, found.st_size, found.st_ino
