"""The end of a run: recorded once, with its attempts, its result and what it reported last."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from janitor.engine.journal import Journal
from janitor.engine.journal_records import Record
from janitor.engine.live import Live
from janitor.engine.observers import Observers
from janitor.engine.reports import Reports
from janitor.logs.formats import facts_of
from janitor.runs import Outcome
from janitor.state import leases, log_lines, result_records, run_records
from janitor.state.run_records import Attempt, Ending

log = logging.getLogger(__name__)


class Endings:
    """Closes runs: the first end of a run counts, and a later end is dropped."""

    def __init__(self, journal: Journal, reports: Reports, observers: Observers, now: Callable[[], datetime]) -> None:
        """Nothing is written before a run is closed; `now` is the shared clock."""
        self._journal, self._reports, self._observers, self._now = journal, reports, observers, now

    def close(self, live: Live, ending: Ending, made: Sequence[Attempt] = ()) -> None:
        """Record a run's end and free its job; while the state database is away, the end waits in the journal."""
        self._journal.settle(self._add(live, ending, made, goes_on=False))

    def cut_off(self, runs: Sequence[Live], reason: str) -> None:
        """Record runs as interrupted although their tasks go on: what a task does later changes no record.

        Each keeps its leases, so that no other run of its job begins. The log tells of all, before the state database
        is asked: it may hang. All are recorded together, since the time for that is short.
        """
        for live in runs:
            extra = facts_of(live.job.id, Outcome.INTERRUPTED, reason, live.run.id)
            log.warning("run %d of %s is cut off: %s", live.run.id, live.job.id, reason, extra=extra)
        for record in [self._cut_off(live, reason) for live in runs]:
            self._journal.settle(record)

    def _cut_off(self, live: Live, reason: str) -> Record | None:
        now = self._now()
        seconds = max(0.0, (now - live.run.started_at).total_seconds())
        ending = Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=live.run.attempt)
        return self._add(live, ending, (), goes_on=True)

    def _add(self, live: Live, ending: Ending, made: Sequence[Attempt], goes_on: bool) -> Record | None:
        run, rest = live.run, self._reports.close(live)
        if rest is None:
            return None
        self._observers.ended(live.job, run, ending)

        def write(connection: Connection) -> None:
            # False: another daemon closed this run as dead; drop what it reports.
            if run_records.finish(connection, run.id, ending):
                run_records.add_attempts(connection, run.id, made)
                log_lines.add(connection, rest.lines)
                if ending.result is not None and not run.dry_run:
                    result_records.add(connection, run.id, ending.result)
                if rest.progress is not None:
                    run_records.save_progress(connection, run.id, rest.progress)
            if not goes_on:
                leases.release(connection, live.fence)

        def write_short(connection: Connection, why: str) -> None:
            reason = f"{ending.reason}; {why}" if ending.reason else why
            short = Ending(ending.outcome, reason, ending.ended_at, ending.seconds, attempts=ending.attempts)
            run_records.finish(connection, run.id, short)
            if not goes_on:
                leases.release(connection, live.fence)

        return self._journal.add(Record(write, kept=True, short=write_short))
