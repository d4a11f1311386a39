"""What it costs to record a run."""

from benchmarks.bare_clock import bare_run
from benchmarks.house import House
from benchmarks.measures import Line, Rival, median_of
from janitor.settings import Settings

RUNS = 301


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure how many milliseconds longer a recorded empty run takes than a bare APScheduler job; medians.

    The record is in SQLite on the disk: a commit at the start of a run, and a commit at its end.
    """
    del rivals  # the rival is half of the measurement
    with house.daemon() as daemon:
        recorded = median_of(lambda: daemon.counts(_nothing), RUNS) * 1000
    bare = median_of(bare_run(), RUNS) * 1000
    over = recorded - bare
    name = "recording a run (empty task), over a bare APScheduler job"
    return [
        Line(name, over, "ms", "<= 5 ms", over <= 5, [Rival("a bare APScheduler job, which records nothing", bare)])
    ]


def _nothing(settings: Settings) -> None:
    del settings
