"""The daemon under the demo's load: whether it stays as small as it soon is."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import clockwork
from benchmarks.house import House
from benchmarks.measures import Line, Rival
from benchmarks.processes import ROOT
from janitor.demo.inbox import open_inbox
from janitor.demo.lab import SimulatedLab
from janitor.demo.place import Place, prepare
from janitor.demo.warehouses import NAMES

PACE = 3
"""Everything happens so many times as often as in the demo, so half an hour of its load takes ten minutes."""
DEMO_STEP_SECONDS = 0.3
FASTER = {
    "LABWARE_LOCATION_SCHEDULE": "every 1s",
    "SEQUENCING_PUBLISHER_SCHEDULE": "every 1s",
    "LABWARE_LOCATION_RECONCILE_SCHEDULE": "every 3s",
    "SEQUENCING_PUBLISHER_RECONCILE_SCHEDULE": "every 3s",
    "HISTORY_RUNS": "100",
    "WEB_PORT": "0",
}
"""The demo's four jobs, three times as often. Of each job 100 runs are kept, so old runs are pruned all the time."""
MINUTES, SMALL_MB = 30, 150


@dataclass(frozen=True)
class Sample:
    """What the daemon held after so many minutes of the demo's load."""

    minutes: float
    memory_mb: float
    threads: int
    files: int
    state_bytes: int
    ledger_rows: int
    runs: int
    lines: int


def samples(folder: Path, minutes: float) -> Iterator[Sample]:
    """Put the demo's load on a daemon, and look at it twice in each minute of the load.

    `folder` is empty, and holds the databases. The daemon is stopped in order after the last sample.

    Raises:
        Failed: the daemon ended by itself, or ended badly.
    """
    with open_inbox() as inbox:
        place, _ = prepare(folder, inbox.url)
        with clockwork.process(folder, [str(ROOT / "run.py")], place.environment() | FASTER) as daemon:
            yield from _looked_at(daemon, place, minutes)


def _looked_at(daemon: clockwork.Started, place: Place, minutes: float) -> Iterator[Sample]:
    labwhere, mlwh, events = (place.url(name) for name in NAMES)
    lab = SimulatedLab(labwhere, mlwh, events, seed=1)
    process, began = psutil.Process(daemon.process.pid), time.monotonic()
    pause = DEMO_STEP_SECONDS / PACE
    looks = 1
    while (load := (time.monotonic() - began) * PACE / 60) < minutes:
        lab.step(datetime.now(UTC))
        time.sleep(random.uniform(0.5, 1.5) * pause)
        if load >= looks / 2:
            looks += 1
            yield _sample(daemon, process, place, load)


def _sample(daemon: clockwork.Started, process: psutil.Process, place: Place, load: float) -> Sample:
    tables = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in ("ledger_entries", "runs", "run_logs"))
    [(ledger_rows, runs, lines)] = daemon.rows(f"SELECT {tables}") or [(0, 0, 0)]
    return Sample(
        minutes=round(load, 1),
        memory_mb=process.memory_info().rss / 1e6,
        threads=process.num_threads(),
        files=process.num_fds(),
        state_bytes=sum(path.stat().st_size for path in place.folder.glob("state.db*")),
        ledger_rows=ledger_rows,
        runs=runs,
        lines=lines,
    )


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure the daemon's memory after half an hour of the demo's load."""
    with clockwork.empty_folder() as folder:
        found = list(samples(folder, MINUTES))
    early = max(sample.memory_mb for sample in found if 4 <= sample.minutes <= 6)
    late = max(sample.memory_mb for sample in found[-4:])
    name = f"daemon under the demo's load, memory after {MINUTES} minutes of it"
    return [Line(name, late, "MB", f"<= {SMALL_MB} MB", late <= SMALL_MB, [Rival("itself after 5 minutes", early)])]
