"""A run that a person starts: it runs now, in this process; it is recorded, and shows its progress on the terminal."""

import logging
import os
import pwd
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Self

from janitor import databases
from janitor.engine.keeper import Keeper
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Cancelled, Interrupted, JanitorError, Skip
from janitor.jobs.job import Job
from janitor.runs import Outcome
from janitor.runs.bounds import shortened
from janitor.runs.forks import signals_taken
from janitor.state.run_records import BY_HAND, Ending
from janitor.terminal.bars import bars
from janitor.terminal.console import LONGEST_CELL, counted, one_line
from janitor.terminal.exit_codes import INTERRUPTED

LOOK_SECONDS = 0.1
"""How often the run's progress is looked at."""
CUT_OFF_SECONDS = 2.0
"""How long recording a run that is cut off may take."""

Finished = tuple[int, Ending]


@dataclass(frozen=True)
class Report:
    """How a run by hand ended, in one line."""

    outcome: Outcome
    text: str


def run(
    runner: Runner,
    job: Job,
    *,
    stopper: "Stopper",
    dry_run: bool,
    show_command: str,
    pins: Mapping[str, int] | None = None,
) -> Report:
    """Run a job now, to its end, or until the `stopper` asks it to stop.

    Call it in the main thread. `show_command` is the command that shows a whole run, without the run's id. `pins` are
    the runs of dependencies that it uses. A job that is running already is reported as skipped.

    Raises:
        NotReady: a dependency has not succeeded yet.
        BadSetting: a pin names a run that cannot be used.
        Unavailable, Rejected: the state database cannot record the run, so the run does not begin.
    """
    keeper = Keeper(runner)
    with ThreadPoolExecutor(1, thread_name_prefix=job.id) as thread:
        keeper.start()
        try:
            future = thread.submit(runner.execute, job, Slot(None, BY_HAND, pins or {}), dry_run)
            finished = _watched(runner, future, stopper, job.id)
        except Skip as exc:
            return Report(Outcome.SKIPPED, f"{job.id} skipped: {exc}")
        finally:
            keeper.stop()
    databases.dispose()
    if finished is None:
        raise JanitorError(f"{job.id} did not run; the log says why")
    return _report(job, finished, dry_run, show_command, unrecorded=runner.waiting > 0)


def keep_quiet(handler: logging.Handler) -> None:
    """Keep from the terminal what the report says anyway: that the run began, and how it ended."""
    handler.addFilter(lambda record: record.name != "janitor.engine.runner" or record.levelno == logging.WARNING)


def user_name() -> str:
    """The name of the person at the keyboard, as the machine knows it: anybody can set LOGNAME."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"uid {os.getuid()}"


def _report(job: Job, finished: Finished, dry_run: bool, show_command: str, unrecorded: bool) -> Report:
    run_id, ending = finished
    done = f"{job.id} {ending.outcome.value.replace('_', ' ')}"
    if ending.outcome is Outcome.SUCCEEDED:
        done += f" in {ending.seconds:.2f} s" + (" (dry run)" if dry_run else "")
    said = shortened(one_line(ending.reason), LONGEST_CELL) if ending.reason else counted(ending.counts)
    where = f"run {run_id}" + (f"; `{show_command} {run_id}` has the traceback" if ending.traceback else "")
    where += "; its end is not recorded, as the state database is away" if unrecorded else ""
    return Report(ending.outcome, f"{done}{': ' if said else ''}{said} ({where})")


class Stopper:
    """Turns SIGINT and SIGTERM into a request to the run to stop at a safe point; a second signal ends the process.

    Whoever sends SIGTERM does not wait for ever: after the grace the run is cut off. Enter it in the main thread.
    """

    def __init__(self, runner: Runner, on_term: Callable[[], None] = lambda: None) -> None:
        """Signals are as they were until the block begins; `on_term` is called at SIGTERM."""
        self._runner, self._on_term, self._signals = runner, on_term, ExitStack()
        self._reason: Cancelled | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._signals.enter_context(signals_taken(dict.fromkeys((signal.SIGINT, signal.SIGTERM), self._on_signal)))
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals as they were."""
        self._signals.close()

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of what does not begin because a signal came; None if none came."""
        if self._reason is None:
            return None
        return Outcome.INTERRUPTED if isinstance(self._reason, Interrupted) else Outcome.CANCELLED

    def pass_on(self) -> None:
        """Ask the run to stop, if a signal came; a run that begins after the signal is asked too."""
        if self._reason is not None:
            for live in list(self._runner.live.values()):
                live.run.ask_to_stop(self._reason)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._reason is not None:
            self._end_at_once()
        by_hand = Cancelled(f"stopped by {user_name()} with Ctrl-C")
        self._reason = by_hand if number == signal.SIGINT else Interrupted("the process was asked to stop")
        if number == signal.SIGTERM:
            self._on_term()
            self._begin_grace()
        self.pass_on()

    def _begin_grace(self) -> None:
        seconds = self._runner.settings.grace_seconds
        why = f"it came to no safe point within {seconds:g} s of the process being asked to stop"
        timer = threading.Timer(seconds, self._runner.cut_off, (why,))
        timer.daemon = True
        with suppress(RuntimeError):  # there is no thread to be had: the next start closes the run
            timer.start()

    def _end_at_once(self) -> None:
        # In a thread: the state database may be away, or may wait for this very thread.
        args = ("it was ended at once, by a second signal",)
        recorder = threading.Thread(target=self._runner.cut_off, args=args, daemon=True)
        recorder.start()
        recorder.join(CUT_OFF_SECONDS)
        os._exit(INTERRUPTED)


def _watched(runner: Runner, future: "Future[Finished | None]", stopper: Stopper, name: str) -> Finished | None:
    with bars(name) as show:
        while True:
            try:
                return future.result(LOOK_SECONDS)
            except NotYet:
                if future.done():
                    raise
            stopper.pass_on()
            for live in list(runner.live.values()):
                show(dict(live.progress.parts))
