"""Lateness: a run is over its timeout, and its task has come to no safe point since."""

import logging

from janitor.engine.live import LiveRuns

log = logging.getLogger(__name__)


def warn_late(live: LiveRuns) -> None:
    """Warn of each run that is over its timeout, once."""
    for one in list(live.values()):
        if not one.warned and one.run.remaining_seconds == 0:
            one.warned = True
            text = "run %d of %s is over its timeout of %g s and has not come to a safe point yet"
            log.warning(text, one.run.id, one.job.id, one.job.timeout)
