"""How the lines grow with the number of labwares. A tick without news must hardly grow at all."""

import statistics
from collections.abc import Callable, Sequence

from benchmarks import labware_tick
from benchmarks.house import House
from benchmarks.measures import Clocked, Line
from benchmarks.report import curves, shown
from janitor.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher
from tests.recorded_runs import Daemon

Task = Callable[[Settings], object]

GOAL, ROWS_GOAL = 1.2, 1.0
TURNS = 201
FLAT = {
    "rows examined, labware tick without news": ROWS_GOAL,
    "rows examined, sequencing tick without news": ROWS_GOAL,
}
"""The curves that must be flat: the most that each may be, over its value at a tenth of the labwares."""


def measure(lines: Sequence[Line]) -> list[Line]:
    """Return for each flat curve its value at the largest size over its value at the size before."""
    found = []
    for name, points in curves(lines).items():
        if name not in FLAT or len(points) < 2:
            continue
        (fewer, before, unit), (labwares, value, _) = points[-2:]
        ratio, goal = value / before if before else 1.0, FLAT[name]
        full = f"{name}, at {labwares:,} over {fewer:,} labwares ({shown(value, unit)} over {shown(before, unit)})"
        found.append(Line(full, ratio, "times", f"<= {goal:g} times", ratio <= goal))
    return found


def ticks_of(house: House, rivals: bool) -> list[Line]:
    """Measure each tick without news: its median here over its median in the next smaller house, in turns."""
    if not rivals or house.smaller is None:
        return []
    tasks = {"labware": labware_location.follow, "sequencing": sequencing_publisher.follow}
    with house.daemon() as here, house.smaller.daemon() as there:
        # Changes of the last ten minutes cost a look for late commits: both houses get the same changes.
        for each, daemon in ((house, here), (house.smaller, there)):
            labware_tick.move(each, seed=3_000)
            daemon.counts(labware_location.follow)
        return [_ratio(house, house.smaller, name, task, here, there) for name, task in tasks.items()]


def _ratio(house: House, smaller: House, name: str, task: Task, here: Daemon, there: Daemon) -> Line:
    large, small = Clocked(task), Clocked(task)
    for daemon in (here, there):
        daemon.counts(task)
    for _ in range(TURNS):
        here.counts(large)
        there.counts(small)
    mine, other = (statistics.median(one.seconds) * 1000 for one in (large, small))
    full = f"{name} tick without news, at {house.labwares:,} over {smaller.labwares:,} labwares"
    ratio = mine / other
    values = f"({shown(mine, 'ms')} over {shown(other, 'ms')}, taking turns)"
    return Line(f"{full} {values}", ratio, "times", f"<= {GOAL:g} times", ratio <= GOAL)


def memory_of(house: House, rivals: bool) -> list[Line]:
    """Measure what Janitor remembers of such a house: the bytes of its cursors and of the state database."""
    del rivals
    with house.daemon() as daemon, daemon.state.begin() as connection:
        rows = connection.exec_driver_sql("SELECT name, LENGTH(position) FROM cursors ORDER BY name").all()
        pages, size = (connection.exec_driver_sql(f"PRAGMA {one}").scalar_one() for one in ("page_count", "page_size"))
    size_text = f"{house.labwares:,} labwares"
    cursors = [
        Line(
            f"bytes of the cursor {name}, {size_text}",
            length,
            "bytes",
            curve=f"bytes of cursor {name}",
            labwares=house.labwares,
        )
        for name, length in rows
    ]
    return [*cursors, Line(f"bytes of the state database, {size_text}", pages * size, "bytes")]
