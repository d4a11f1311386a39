"""The demo itself: the lab works, the daemon follows, and at the end both are compared."""

import random
import time
from datetime import datetime, timezone
from typing import IO

from janitor.demo import daemon as daemons
from janitor.demo import truth, warehouses
from janitor.demo.daemon import Daemon
from janitor.demo.inbox import Inbox
from janitor.demo.lab import SimulatedLab
from janitor.demo.outage import Outage
from janitor.demo.place import Place
from janitor.demo.screen import Screen, short
from janitor.demo.summary import Gap, summary
from janitor.demo.watch import Watch

STEP_SECONDS = 0.3
LAST_LINES = 15


class Demo:
    """The lab, the daemon, and everything that watches them."""

    def __init__(self, screen: Screen, place: Place, inbox: Inbox) -> None:
        """Nothing is started yet."""
        self._screen, self._place, self._inbox = screen, place, inbox
        labwhere, mlwh, events = (place.url(name) for name in warehouses.NAMES)
        self._lab = SimulatedLab(labwhere, mlwh, events, seed=random.randrange(1000))
        self._watch = Watch(mlwh, place.url("state"), place.messages)

    def run(self, lock: IO[str], seconds: float | None, patience: float) -> bool:
        """Let the lab work for so long, or until Ctrl-C; let the daemon catch up; show the result.

        `patience` is how many seconds the daemon may take to catch up. Return True if everything is as it should be.
        """
        daemon = daemons.start(self._place, lock)
        self._screen.console.print(
            f"[bold]Started the daemon[/], process {daemon.pid}; it prints to {short(self._place.log)}\n"
            f"[bold]The dashboard is at[/] {self._place.dashboard}\n"
        )
        try:
            self._work(daemon, seconds, patience)
            ending = daemon.poll()
        finally:
            daemons.stop(daemon)
        self._show_news()
        if ending is not None:
            self._show_early_end(ending)
            return False
        gap = self._gap()
        self._screen.console.print(summary(self._lab.done, self._watch, gap))
        self._screen.show_where_to_look(self._place)
        return gap.is_closed and bool(self._watch.rows and self._watch.messages)

    def _work(self, daemon: Daemon, seconds: float | None, patience: float) -> None:
        """Let the lab work and the daemon catch up; return early if the daemon ends."""
        began = time.monotonic()
        cut_short = self._let_lab_work(daemon, began, seconds)
        if daemon.poll() is not None:
            return
        words = "The lab ends what it has begun, and Janitor catches up. (Ctrl-C: do not wait)"
        self._screen.console.print(f"[dim]{words}[/]")
        try:
            self._let_daemon_catch_up(daemon, began + (0 if cut_short else seconds or 0), patience)
        except KeyboardInterrupt:
            self._screen.console.print()

    def _let_lab_work(self, daemon: Daemon, began: float, seconds: float | None) -> bool:
        """Let the lab work until its time is over; return True if Ctrl-C came first."""
        outage = Outage(self._place.messages, self._inbox, seconds)
        work_seconds = float("inf") if seconds is None else max(seconds / 2, seconds - 6)
        try:
            while time.monotonic() - began < work_seconds and daemon.poll() is None:
                self._screen.show_deed(self._lab.step(datetime.now(timezone.utc)))
                self._show_news()
                self._screen.show_outage(outage.step(time.monotonic() - began))
                time.sleep(STEP_SECONDS)
            return False
        except KeyboardInterrupt:
            self._screen.console.print()
            return True
        finally:
            self._screen.show_outage(outage.end())

    def _let_daemon_catch_up(self, daemon: Daemon, earliest: float, patience: float) -> None:
        """Wait until nothing is missing, and at least until `earliest`."""
        limit = max(time.monotonic(), earliest) + patience
        for deed in self._lab.finish(datetime.now(timezone.utc)):
            self._screen.show_deed(deed)
        while daemon.poll() is None and time.monotonic() < limit:
            self._show_news()
            if self._gap().is_closed and time.monotonic() >= earliest:
                return
            time.sleep(2 * STEP_SECONDS)

    def _gap(self) -> Gap:
        labwhere, mlwh, events = (self._place.url(name) for name in warehouses.NAMES)
        return Gap.between(
            truth.locations(labwhere),
            truth.table(mlwh),
            truth.messages(mlwh, events, self._place.since),
            self._watch.messages,
        )

    def _show_news(self) -> None:
        self._screen.show_news(self._watch.news(), self._inbox.news())

    def _show_early_end(self, exit_code: int) -> None:
        console = self._screen.console
        console.print(f"\n[red bold]The daemon ended by itself, with exit code {exit_code}.[/] Its last lines:")
        console.print("\n".join(self._place.log.read_text().splitlines()[-LAST_LINES:]), markup=False)
