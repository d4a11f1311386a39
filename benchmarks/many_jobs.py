"""A thousand jobs: all due in the same second, and each once a minute."""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clockwork
from benchmarks.house import House
from benchmarks.measures import Line, Rival

JOBS = 1_000
HEAD_START_SECONDS, SETTLE_SECONDS, WATCHED_SECONDS = 15, 8, 70


@dataclass(frozen=True)
class Lateness:
    """How late each run began, in seconds and in order; and how many runs were due, and recorded."""

    seconds: list[float]
    due: int
    recorded: int

    def at(self, share: float) -> float:
        """Return the lateness that this share of the runs does not exceed."""
        return self.seconds[math.ceil(share * len(self.seconds)) - 1] if self.seconds else math.inf


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure when the last of 1,000 jobs due at once began, and the 99th percentile of 1,000 one-minute jobs."""
    del house  # the jobs are trivial, and their state is in a folder of its own
    burst, spread = together("janitor"), every_minute("janitor")
    others = (together("bare"), every_minute("bare")) if rivals else ()
    bare = [_bare(others[0], 1, 1), _bare(others[1], 0.99, 1000)] if others else [[], []]
    last, p99 = burst.at(1), spread.at(0.99) * 1000
    all_met = burst.recorded == len(burst.seconds) == burst.due and last <= 2
    steady = spread.recorded >= spread.due and len(spread.seconds) >= spread.due and p99 <= 100
    return [
        Line("1,000 jobs due in the same second, last one begun", last, "s", "<= 2 s", all_met, bare[0]),
        Line("1,000 one-minute jobs, p99 of lateness", p99, "ms", "<= 100 ms", steady, bare[1]),
        Line("1,000 one-minute jobs, median lateness", spread.at(0.5) * 1000, "ms"),
    ]


def together(clock: str) -> Lateness:
    """Let all jobs be due in the same second."""
    at = math.ceil(time.time()) + HEAD_START_SECONDS
    began, recorded = _watched(clock, at, HEAD_START_SECONDS + SETTLE_SECONDS)
    return Lateness(sorted(moment - at for _, moment in began), JOBS, recorded)


def every_minute(clock: str) -> Lateness:
    """Let each job be due once a minute, spread over the seconds."""
    began, recorded = _watched(clock, 0, WATCHED_SECONDS)
    late = sorted((moment - number % 60) % 60 for number, moment in began)
    return Lateness(late, JOBS, recorded)


def _watched(clock: str, at: float, seconds: float) -> tuple[list[tuple[int, float]], int]:
    with clockwork.empty_folder() as folder:
        arguments = ["-m", "benchmarks.many_jobs_daemon", clock, str(JOBS), str(at), str(folder)]
        with clockwork.process(folder, arguments, {"LOG_LEVEL": "WARNING"}) as daemon:
            time.sleep(seconds)
            succeeded = "SELECT COUNT(*) FROM runs WHERE outcome = 'succeeded'"
            recorded = daemon.rows(succeeded)[0][0] if clock == "janitor" else 0
        return json.loads(Path(folder, "began").read_text(encoding="ascii")), recorded


def _bare(found: Lateness, share: float, scale: float) -> list[Rival]:
    lost = found.due - len(found.seconds)
    note = f"it lost {lost:,} of {found.due:,} runs, and recorded none" if lost > 0 else "it recorded none"
    value = found.at(share) * scale if found.seconds else None
    return [Rival("bare APScheduler, 10 threads", value, note)]
