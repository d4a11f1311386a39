"""What runs report while they go on, lines and progress: saved every second, so that others can look."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from janitor.engine.journal_records import FAILURES, is_unfit
from janitor.engine.live import Live, LiveRuns
from janitor.logs.run_log import RunLog
from janitor.state import State, log_lines, run_records
from janitor.state.fences import held_names
from janitor.state.log_lines import LogLine

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rest:
    """What a run reported since the last save; `progress` is all of it, None if it reported none."""

    lines: Sequence[LogLine]
    progress: str | None


class Reports:
    """Keeps the runs that go on here, and saves what they report."""

    def __init__(self, state: State, run_log: RunLog, live: LiveRuns) -> None:
        """`run_log` holds the lines; `live` is filled and emptied here alone."""
        self._state, self._run_log, self._live = state, run_log, live
        self._saving = threading.Lock()

    def open(self, live: Live) -> None:
        """Begin to keep what a run reports."""
        self._run_log.open(live.run.id)
        self._live[live.run.id] = live

    def close(self, live: Live) -> Rest | None:
        """End a run's reports; what is not saved yet, None if they are closed already."""
        # Never during a save: what fails to be saved is given back, and must find its run open.
        with self._saving:
            lines = self._run_log.close_run(live.run.id)
            if self._live.pop(live.run.id, None) is None:
                return None
        return Rest(lines, live.progress.text() if live.progress.parts else None)

    def save(self) -> None:
        """Save what the runs have reported since the last time.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        with self._saving:
            taken = {live.run.id: self._run_log.take(live.run.id) for live in list(self._live.values())}
            news = [live for live in list(self._live.values()) if live.progress.unsaved or taken.get(live.run.id)]
            if not news:
                return
            try:
                self._write(news, taken)
            except FAILURES as exc:
                self._keep_progress(news)
                if not is_unfit(exc):
                    self._give_back(news, taken)
                    raise
                self._write_apart(news, taken)

    def _write_apart(self, news: Sequence[Live], taken: Mapping[int, Sequence[LogLine]]) -> None:
        """Save what each run reported by itself; what the state database refuses for what it holds is left out."""
        for at, live in enumerate(news):
            try:
                self._write([live], taken)
            except FAILURES as exc:
                if not is_unfit(exc):
                    self._keep_progress([live])
                    self._give_back(news[at:], taken)
                    raise
                log.error("what run %d of %s reported last is not kept: %s", live.run.id, live.job.id, exc)

    @staticmethod
    def _keep_progress(news: Sequence[Live]) -> None:
        """Have what these runs reported saved later: nothing of it was committed."""
        for live in news:
            live.progress.unsaved = live.progress.unsaved or bool(live.progress.parts)

    def _give_back(self, news: Sequence[Live], taken: Mapping[int, Sequence[LogLine]]) -> None:
        for live in news:
            self._run_log.give_back(taken.get(live.run.id, ()))

    def _write(self, news: Sequence[Live], taken: Mapping[int, Sequence[LogLine]]) -> None:
        with self._state.begin() as connection:
            held = held_names(connection, [(live.fence.name, live.fence.token) for live in news])
            for live in [live for live in news if live.fence.name in held]:
                if live.progress.unsaved:
                    live.progress.unsaved = False
                    run_records.save_progress(connection, live.run.id, live.progress.text())
                log_lines.add(connection, taken.get(live.run.id, ()))
