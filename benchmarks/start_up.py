"""The daemon's start: from its process to its first tick."""

import statistics
from typing import Any

from benchmarks import clockwork
from benchmarks.house import House
from benchmarks.measures import Line, Rival

REPEATS = 5
FIRST_RUN = (
    "SELECT started_at, ended_at FROM runs WHERE job = 'labware_location' AND slot_at IS NOT NULL "
    "AND outcome = 'succeeded' ORDER BY id LIMIT 1"
)


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure seconds from the start of the process to the start and to the end of labware_location's first run."""
    begun, ended = [], []
    for _ in range(REPEATS):
        with clockwork.daemon(house) as daemon:
            row: Any = clockwork.wait_for(lambda: daemon.rows(FIRST_RUN), 30)[0]
            begun.append(clockwork.seconds_since_1970(row[0]) - daemon.at)
            ended.append(clockwork.seconds_since_1970(row[1]) - daemon.at)
    value, others = statistics.median(begun), [_bare()] if rivals else []
    name = "start-up of the daemon to first tick"
    return [
        Line(name, value, "s", "<= 1.5 s", value <= 1.5, others),
        Line(f"{name}, to its end", statistics.median(ended), "s"),
    ]


def _bare() -> Rival:
    taken = []
    for _ in range(REPEATS):
        with clockwork.empty_folder() as folder:
            with clockwork.process(folder, ["-m", "benchmarks.bare_clock"], {}) as bare:
                said = clockwork.wait_for(lambda: (folder / "log").read_text(encoding="ascii").strip(), 30)
                taken.append(float(said.splitlines()[0]) - bare.at)
    return Rival("limit: a bare APScheduler with one job", statistics.median(taken))
