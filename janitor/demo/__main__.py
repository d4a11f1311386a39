"""`python -m janitor.demo`: the real daemon on three SQLite warehouses, and a lab that keeps changing them."""

import argparse
import fcntl
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TypeAlias

from rich.console import Console, OverflowMethod
from rich.markup import escape
from sqlalchemy import URL, create_engine

from janitor import databases
from janitor.demo import truth, warehouses
from janitor.demo.inbox import Inbox, open_inbox
from janitor.demo.lab import SimulatedLab
from janitor.demo.new_run import Deed
from janitor.demo.outage import Outage
from janitor.demo.summary import Gap, summary
from janitor.demo.watch import Watch
from janitor.errors import JanitorError
from janitor.settings.settings import Settings

LABWARES, RUNS, PRODUCTS, DAYS = 3_000, 36, 24, 20.0
SINCE_DAYS = 4
STEP_SECONDS = 0.3
DASHBOARD_PORT = 8080
PIPE_WIDTH = 120
STOP_SECONDS = 40
LAB = ("LABWHERE_", "MLWH_", "LABWARE_LOCATION_", "SEQUENCING_", "LOAD_LIMIT_")
ENDINGS = ("_ENABLED", "_SCHEDULE")
WELL, NOT_WELL, CUT_OFF = 0, 1, 130

Daemon: TypeAlias = "subprocess.Popen[bytes]"


@dataclass(frozen=True)
class Place:
    """The demo's folder, and what is where in it."""

    folder: Path
    since: date
    port: int
    inbox: str

    def url(self, name: str) -> URL:
        """The URL of the database `name`: a SQLite file."""
        return URL.create("sqlite", database=str(self.folder / f"{name}.db"))

    @property
    def messages(self) -> Path:
        """Where the messages go."""
        return self.folder / "messages"

    @property
    def log(self) -> Path:
        """What the daemon prints."""
        return self.folder / "daemon.log"

    @property
    def dashboard(self) -> str:
        """Where the dashboard is."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The daemon's settings, in place of any that this process has."""
        kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        return kept | {
            "LABWHERE_DATABASE_URL": str(self.url("labwhere")),
            "MLWH_DATABASE_URL": str(self.url("mlwh")),
            "MLWH_EVENTS_DATABASE_URL": str(self.url("mlwh_events")),
            "STATE_DATABASE_URL": str(self.url("state")),
            "MESSAGES_DIR": str(self.messages),
            "HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            "SEQUENCING_PUBLISHER_SINCE": self.since.isoformat(),
            "WEB_PORT": str(self.port),
            "WEB_URL": self.dashboard,
            "WEBHOOK_URL": self.inbox,
            "NOTICE_CHECK_SECONDS": "0.5",
            "LABWARE_LOCATION_SCHEDULE": "every 3s",
            "SEQUENCING_PUBLISHER_SCHEDULE": "every 3s",
            "LABWARE_LOCATION_RECONCILE_SCHEDULE": "every 10s",
            "SEQUENCING_PUBLISHER_RECONCILE_SCHEDULE": "every 10s",
        }


def main() -> int:
    """Run the demo until Ctrl-C, or for `--seconds`, and return 0 where all came out as it should."""
    arguments = _arguments()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as lock:
        try:
            # The daemon inherits the lock: nobody wipes the folder of one that outlived its demo.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = f"another demo, or its daemon (process {lock.read().strip() or 'unknown'}),"
            console.print(f"{who} is at work in {folder}: end it, or give another --folder", soft_wrap=True)
            return NOT_WELL
        with open_inbox() as inbox:
            place = _prepare(folder, console, inbox.url)
            return _Demo(console, place, lock, inbox).run(arguments.seconds, arguments.patience)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./demo.sh", description="Janitor at work on a simulated lab.")
    parser.add_argument("--seconds", type=float, help="end after so many seconds; on Ctrl-C without it")
    patience = "how long the daemon may take to catch up in the end: seconds (default: 45)"
    parser.add_argument("--patience", type=float, default=45.0, help=patience)
    help_text = "where the demo keeps its databases and messages; emptied at the start (default: var/demo)"
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help=help_text)
    return parser.parse_args()


def _prepare(folder: Path, console: Console, inbox: str) -> Place:
    """Empty the folder and fill three warehouses in it."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".lock":
            path.unlink()
    began, now = time.monotonic(), datetime.now(timezone.utc)
    place = Place(folder, (now - timedelta(days=SINCE_DAYS)).date(), _free_port(), inbox)
    engines = [create_engine(place.url(name)) for name in warehouses.NAMES]
    for engine, name in zip(engines, warehouses.NAMES, strict=True):
        with engine.connect() as connection:
            # Readers and the one writer of a file do not wait for each other.
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        warehouses.create_tables(engine, name)
    size = {"labwares": LABWARES, "runs": RUNS, "products": PRODUCTS, "days": DAYS}
    counts = warehouses.fill(*engines, **size, seed=random.randrange(1000), now=now)  # type: ignore[arg-type]
    for engine in engines:
        engine.dispose()
    seconds = time.monotonic() - began
    console.print(
        f"[bold]Made a lab[/] of {sum(counts.values()):,} rows in three SQLite warehouses in {seconds:.1f} s:"
    )
    console.print(
        f"{LABWARES:,} labwares, {counts['audits']:,} audits, {RUNS} sequencing runs, {counts['sample']} samples"
    )
    return place


class _Demo:
    """The lab, the daemon and who watches them."""

    def __init__(self, console: Console, place: Place, lock: IO[str], inbox: Inbox) -> None:
        self.console, self.place, self.lock, self.inbox = console, place, lock, inbox
        labwhere, mlwh, events = (place.url(name) for name in warehouses.NAMES)
        self.lab = SimulatedLab(labwhere, mlwh, events, seed=random.randrange(1000))
        self.watch = Watch(place.url("mlwh"), place.url("state"), place.messages)

    def run(self, seconds: float | None, patience: float) -> int:
        """Let the lab work for so long, let the daemon catch up, and say what came of it."""
        daemon = self._start_daemon()
        self.console.print(
            f"[bold]Started the daemon[/], process {daemon.pid}; it prints to {_short(self.place.log)}\n"
            f"[bold]The dashboard is at[/] {self.place.dashboard}\n"
        )
        try:
            ending = self._watch_over(daemon, seconds, patience)
        finally:
            self._stop(daemon)
        self._show_news()
        if ending is not None:
            self.console.print(f"\n[red bold]The daemon ended by itself, with exit code {ending}.[/] Its last lines:")
            self.console.print("\n".join(self.place.log.read_text().splitlines()[-15:]), markup=False)
            return NOT_WELL
        gap = self._gap()
        self.console.print(summary(self.lab.done, self.watch, gap))
        self._print_where_to_look()
        return WELL if gap.is_closed and self.watch.rows and self.watch.messages else NOT_WELL

    def _watch_over(self, daemon: Daemon, seconds: float | None, patience: float) -> int | None:
        """The daemon's exit code where it ended by itself; None once the time is over and the daemon has caught up."""
        began = time.monotonic()
        outage = Outage(self.place.messages, self.inbox, seconds)
        work_seconds = float("inf") if seconds is None else max(seconds / 2, seconds - 6)
        try:
            while time.monotonic() - began < work_seconds and daemon.poll() is None:
                self._show_deed(self.lab.step(datetime.now(timezone.utc)))
                self._show_news()
                self._show_outage(outage.step(time.monotonic() - began))
                time.sleep(STEP_SECONDS)
        except KeyboardInterrupt:
            self.console.print()
        finally:
            self._show_outage(outage.end())
        if daemon.poll() is not None:
            return daemon.returncode
        self.console.print("[dim]The lab ends what it has begun, and Janitor catches up. (Ctrl-C: do not wait)[/]")
        limit = max(time.monotonic(), began + (seconds or 0)) + patience
        try:
            for deed in self.lab.finish(datetime.now(timezone.utc)):
                self._show_deed(deed)
            while daemon.poll() is None and time.monotonic() < limit:
                self._show_news()
                if self._gap().is_closed and time.monotonic() - began >= (seconds or 0):
                    return None
                time.sleep(2 * STEP_SECONDS)
        except KeyboardInterrupt:
            self.console.print()
        return daemon.poll()

    def _gap(self) -> Gap:
        labwhere, mlwh, events = (self.place.url(name) for name in warehouses.NAMES)
        return Gap.between(
            truth.locations(labwhere),
            truth.table(mlwh),
            truth.messages(mlwh, events, self.place.since),
            self.watch.messages,
        )

    def _start_daemon(self) -> Daemon:
        front_door = importlib.util.find_spec("run")
        if front_door is None or front_door.origin is None:
            raise SystemExit("run.py is not there: start the demo from the checkout, as ./demo.sh does")
        # In a session of its own it gets no Ctrl-C from the terminal; in the demo's folder it reads no .env.
        with self.place.log.open("wb") as log:
            daemon = subprocess.Popen(
                [sys.executable, front_door.origin],
                cwd=self.place.folder,
                env=self.place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[self.lock.fileno()],
            )
        self.lock.truncate(0)
        self.lock.write(str(daemon.pid))
        self.lock.flush()
        return daemon

    def _stop(self, daemon: Daemon) -> None:
        daemon.terminate()
        try:
            daemon.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            daemon.kill()
            daemon.wait()

    def _show_deed(self, deed: Deed) -> None:
        self._line(0, "·", deed.words, "red" if deed.kind == "broken rows" else "default")

    def _show_outage(self, words: str) -> None:
        if words:
            self._line(0, "·", words, "red" if words.endswith("away") else "default")

    def _show_news(self) -> None:
        for line in self.watch.news():
            color = "yellow" if line.startswith(("quarantine", "run ")) else "green"
            self._line(self.console.width // 2 - 14, "→", line, color)
        for line in self.inbox.news():
            self._line(self.console.width // 2 - 14, "✉", line, "magenta")

    def _line(self, indent: int, mark: str, words: str, color: str) -> None:
        """The lab on the left, Janitor on the right, where there is a terminal wide enough for both."""
        if not self.console.is_terminal or self.console.width < 110:
            indent = min(indent, 6)
        clock = datetime.now().strftime("%H:%M:%S")
        line = f"[dim]{clock}[/] {' ' * indent}{mark} [{color}]{escape(words)}[/]"
        cut: OverflowMethod = "ellipsis" if self.console.is_terminal else "ignore"
        self.console.print(line, no_wrap=True, overflow=cut, crop=self.console.is_terminal)

    def _print_where_to_look(self) -> None:
        folder = _short(self.place.folder)
        self.console.print(f"\nAll of it is kept in {folder} until the next demo. Its history, for one:")
        state = self.place.url("state").render_as_string()
        self.console.print(
            f"  STATE_DATABASE_URL={state} {_short(Path(sys.executable))} run.py history", soft_wrap=True
        )


def _is_setting(name: str) -> bool:
    plain = name.removesuffix("_FILE")
    return plain in Settings.variables() or plain.startswith(LAB) or plain.endswith(ENDINGS)


def _free_port() -> int:
    """The dashboard's usual port where it is free, else any that is."""
    for port in (DASHBOARD_PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                found: int = listener.getsockname()[1]
                return found
        except OSError:
            continue
    raise JanitorError("no port is free on this machine for the dashboard")


def _short(path: Path) -> str:
    """Relative to where one stands, where that is shorter."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = CUT_OFF
    except JanitorError as exc:
        print(f"the demo cannot go on: {exc}", file=sys.stderr)
        code = NOT_WELL
    finally:
        databases.dispose()
    sys.exit(code)
