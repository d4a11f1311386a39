"""A backup of all that is remembered, as a task of its own."""

import logging
import os
from pathlib import Path

from janitor.memory.access import state_of
from janitor.runs import current_run
from janitor.state import backup

log = logging.getLogger(__name__)


def back_up(file: str | os.PathLike[str]) -> dict[str, int]:
    """Copy the state database into a SQLite file while it is in use, and check the copy.

    The parts of `file` that `strftime` knows are filled in with the run's time in UTC: `backup/janitor-%a.db` keeps a
    backup of each day of the week. A file of that name is replaced once the new copy is whole. It can be a job by
    itself. A dry run copies nothing.

    Raises:
        Rejected: the copy cannot be written, or is not whole; the file that was there stays.
        Unavailable: the state database is away.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    run = current_run()
    state, path = state_of(run), Path(run.started_at.strftime(os.fspath(file)))
    if run.dry_run:
        return {"runs": 0, "bytes": 0}
    made = backup.back_up(state, path, run.check)
    log.info("%s", made)
    return {"runs": made.runs, "bytes": made.bytes}
