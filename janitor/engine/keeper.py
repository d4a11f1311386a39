"""The keeper: one thread that holds this process's leases, saves what its runs report, and forgets what is old."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from janitor.engine.cleanup import prune
from janitor.engine.runner import Runner
from janitor.errors import Cancelled, Fenced, JanitorError, Rejected, Unavailable
from janitor.jobs.job import Job
from janitor.logs.formats import facts_of
from janitor.runs import Fence, Outcome
from janitor.settings.settings import Settings
from janitor.state import State, leases, recent, retention, run_records
from janitor.state.clocks import boot_clock
from janitor.state.retention import Bounds
from janitor.state.run_records import LostSlots

log = logging.getLogger(__name__)

LIVE_SECONDS = 1.0
"""How often the log and progress of a run that goes on are saved, and a stand-by looks whether it is needed."""
PRUNE_SECONDS = 600.0


class Keeper:
    """Renews leases in the background; for a daemon it also takes the lease that lets the clock go.

    `on_leading` is called when this process becomes the one daemon of its state database, `on_standby` when it no
    longer is; both in the keeper's thread.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        daemon: bool,
        on_leading: Callable[[], None] = lambda: None,
        on_standby: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing happens before `start`."""
        self._runner, self._daemon = runner, daemon
        self._on_leading, self._on_standby = on_leading, on_standby
        self._seconds = runner.settings.lease_seconds
        self._valid_until = boot_clock() + self._seconds
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._loop, name="keeper", daemon=True)
        self._renew_at = self._prune_at = 0.0
        self._away = self._told_standby = self._migrated = False
        self._cleaning: threading.Thread | None = None
        self.failure: JanitorError | None = None
        self.leading = False
        runner.guard = self.guard

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and give up the daemon's lease; leases of runs that still go on are kept."""
        self._stop.set()
        self._thread.join(self._seconds)
        fence, self._runner.daemon_fence = self._runner.daemon_fence, None
        try:
            self._runner.flush()
            with self._runner.state.begin() as connection:
                if fence is not None:
                    leases.release(connection, fence)
        except JanitorError as exc:
            log.warning("the lease could not be given back: %s", exc)

    def guard(self) -> None:
        """Let a run go on only while nobody else can have taken over.

        Raises:
            Unavailable: the leases could not be renewed for as long as they last.
        """
        if boot_clock() > self._valid_until:
            raise Unavailable(
                f"the leases in the state database could not be renewed for {self._seconds:g} s, so that another "
                "daemon may have taken over: this run writes nothing more"
            )

    def _loop(self) -> None:
        try:
            while not self._stop.is_set():
                self._try_step()
                self._stop.wait(min(LIVE_SECONDS, self._seconds / 3))
        finally:
            if not self._stop.is_set():
                # Without its keeper a process would go on in appearance only.
                self.failure = self.failure or JanitorError("the keeper of the leases died; the log tells of what")
                self.leading = False
                self._on_standby()

    def _try_step(self) -> None:
        try:
            self._step()
            self._tell_back()
        except Unavailable as exc:
            self._tell_away(exc)
        except Fenced as exc:
            self._lose(exc)
        except Rejected as exc:
            if not self.leading:
                self.failure = exc
                self._on_standby()
            self._tell_away(exc)

    def _step(self) -> None:
        if self._daemon and not self.leading:
            self._lead()
            return
        if boot_clock() >= self._renew_at:
            self._renew()
        self._runner.flush()
        self._pass_on_wishes()
        self._warn_late()
        if self.leading and boot_clock() >= self._prune_at:
            self._prune()

    def _lead(self) -> None:
        """Take the daemon's lease where it is free, and clean up after whoever held it."""
        runner, state = self._runner, self._runner.state
        if not self._migrated:
            state.migrate()
            self._migrated = True
        began = boot_clock()
        with state.begin() as connection:
            now = state.now(connection)
            # What a call before this one may have taken counts as free: it did not come so far as to lead.
            fence = leases.acquire(connection, leases.DAEMON, runner.holder, now, self._seconds, again=True)
            other = leases.holder_of(connection, leases.DAEMON)
        if fence is None:
            if not self._told_standby:
                log.info("standing by: another daemon holds the state database (%s)", (other or "").split("|")[0])
            self._told_standby = True
            return
        self._clean_up(fence)
        runner.daemon_fence = fence
        self._valid_until, self._renew_at = began + self._seconds, began + self._seconds / 3
        self._prune_at = boot_clock() + min(60.0, PRUNE_SECONDS)
        self._on_leading()
        self.leading, self._told_standby = True, False

    def _clean_up(self, fence: Fence) -> None:
        """Record the runs of dead processes as interrupted, and take their leases from them."""
        state, reason = self._runner.state, "the process that ran it is gone"
        with state.begin(fence) as connection:
            live = leases.revoke_dead(connection, state.now(connection))
            dead = run_records.interrupt(connection, live, datetime.now(timezone.utc), reason)
        for row in dead:
            extra = facts_of(row.job, Outcome.INTERRUPTED, reason, row.id)
            log.warning("run %d of %s is recorded as interrupted: %s", row.id, row.job, reason, extra=extra)
            at = row.slot_at or row.started_at
            self._runner.tell_lost(LostSlots(row.job, at, at, 1, Outcome.INTERRUPTED, reason))

    def _renew(self) -> None:
        runner, state = self._runner, self._runner.state
        began = boot_clock()
        going_on = list(runner.live.values())
        fences = [live.fence for live in going_on] + ([runner.daemon_fence] if runner.daemon_fence else [])
        with state.begin() as connection:
            now = state.now(connection)
            held = leases.renew(connection, fences, now, self._seconds)
            leases.renew_of(connection, [live.run.holder for live in going_on], now, self._seconds)
        for live in going_on:
            if live.fence not in held and live.run.id in runner.live:
                live.run.ask_to_stop(Fenced("another process took this job over"))
        if self.leading and runner.daemon_fence not in held:
            raise Fenced("another daemon has taken over")
        self._valid_until, self._renew_at = began + self._seconds, began + self._seconds / 3

    def _lose(self, why: Fenced) -> None:
        log.error("%s: this one stops its runs and stands by", why)
        self.leading, self._runner.daemon_fence = False, None
        self._on_standby()
        for live in list(self._runner.live.values()):
            live.run.ask_to_stop(Fenced(str(why)))

    def _prune(self) -> None:
        settings, runner, now = self._runner.settings, self._runner, datetime.now(timezone.utc)
        jobs = dict(runner.jobs)
        needed = list({name for job in jobs.values() for name in job.dependencies})
        cleaned = [job.id for job in jobs.values() if job.cleanup is not None]
        with runner.state.begin(*((runner.daemon_fence,) if runner.daemon_fence else ())) as connection:
            # The newest success of a job is what those that depend on it build on, however old it is.
            spared = list(recent.last_with(connection, needed, Outcome.SUCCEEDED).values())
            before = now - timedelta(days=settings.history_days)
            bounds = Bounds(before, settings.history_runs, spared, without=cleaned)
            gone = retention.prune(connection, bounds)
            for levels, days in log_days(settings).items():
                gone += retention.prune_logs(connection, levels, now - timedelta(days=days))
        if cleaned and not (self._cleaning and self._cleaning.is_alive()):
            # In a thread of its own: a cleanup may take its time, and the leases are to be renewed.
            args = (runner.state, jobs, settings, replace(bounds, jobs=cleaned, without=()))
            self._cleaning = threading.Thread(target=_clean, args=args, name="cleaning", daemon=True)
            self._cleaning.start()
        # A little at a time, so that nobody waits long for the state database.
        self._prune_at = boot_clock() + (0.2 if gone else PRUNE_SECONDS)

    def _pass_on_wishes(self) -> None:
        """Ask those runs to stop whose end somebody wants, from whatever process."""
        live = {run_id: one for run_id, one in list(self._runner.live.items()) if not one.run.stop.is_set()}
        if live:
            with self._runner.state.read() as connection:
                asked = run_records.asked_to_stop(connection, list(live))
            for run_id, actor in asked.items():
                live[run_id].run.ask_to_stop(Cancelled(f"cancelled by {actor}"))

    def _warn_late(self) -> None:
        for live in list(self._runner.live.values()):
            if not live.warned and live.run.remaining_seconds == 0:
                live.warned = True
                text = "run %d of %s is over its timeout of %g s and has not come to a safe point yet"
                log.warning(text, live.run.id, live.job.id, live.job.timeout)

    def _tell_away(self, exc: JanitorError) -> None:
        if not self._away:
            log.error("the state database is away, runs fail until it is back: %s", exc)
        self._away = True

    def _tell_back(self) -> None:
        if self._away:
            log.info("the state database is back")
        self._away = False


def _clean(state: State, jobs: Mapping[str, Job], settings: Settings, bounds: Bounds) -> None:
    try:
        while prune(state, jobs, settings, bounds):
            pass
    except JanitorError as exc:
        log.warning("old runs could not be cleaned up, the next look tries again: %s", exc)


def log_days(settings: Settings) -> dict[tuple[str, ...], int]:
    """For how many days lines of these levels are kept; those of other levels stay as long as their runs."""
    return {
        ("DEBUG",): settings.log_debug_days,
        ("INFO",): settings.log_info_days,
        ("WARNING",): settings.log_warning_days,
        ("ERROR", "CRITICAL"): settings.log_error_days,
    }
