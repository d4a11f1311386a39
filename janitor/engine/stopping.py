"""Stopping in order: no run begins any more, each live run is asked to stop, and what is cut off is recorded."""

import logging
import threading

from janitor.engine.clock import Clock
from janitor.engine.keeper import Keeper
from janitor.engine.lanes import Lanes
from janitor.engine.leaving import STOP_SECONDS
from janitor.engine.runner import Runner
from janitor.errors import Interrupted

log = logging.getLogger(__name__)

CLOSE_SECONDS = 0.1
"""How long the lanes may take to close before the runs are asked to stop all the same."""
RECORD_SECONDS = STOP_SECONDS - 1.5
"""How long a daemon may take, after its grace, to record what it still has to: a server may hang.

The rest of `STOP_SECONDS` is for what comes before and after: after it the process ends, whatever it still has to say.
"""


def stop_in_order(clock: Clock, lanes: Lanes, runner: Runner, keeper: Keeper) -> None:
    """Stop a daemon; returns after the grace at the latest, and the time that recording may take."""
    grace_seconds = runner.settings.grace_seconds
    closing = threading.Thread(target=lanes.close, name="closing", daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
    clock.close()
    live = list(runner.live.values())
    if live:
        log.info("stopping: waiting up to %g s for %s", grace_seconds, ", ".join(one.job.id for one in live))
    for one in live:
        one.run.ask_to_stop(Interrupted("the daemon was asked to stop"))
    lanes.wait(grace_seconds)
    recording = threading.Thread(target=_record_end, args=(runner, keeper, closing), name="recording", daemon=True)
    recording.start()
    recording.join(RECORD_SECONDS)
    if recording.is_alive():
        log.error("the state database does not answer: the next start records what ended here as interrupted")
    log.info("stopped")


def _record_end(runner: Runner, keeper: Keeper, closing: threading.Thread) -> None:
    """Record what is not recorded yet, and give the leases back."""
    closing.join()
    runner.cut_off(
        f"it came to no safe point within {runner.settings.grace_seconds:g} s of the daemon being asked to stop"
    )
    keeper.stop()
    runner.state.close()
