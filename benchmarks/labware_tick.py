"""The labware tick: with nothing new, and with 100 labwares that changed."""

import random
import statistics
from datetime import datetime
from typing import Any

from benchmarks import rival_dlt, rival_engineer
from benchmarks.house import House
from benchmarks.measures import Clocked, Line, Rival, median_of, seconds_of
from janitor.tasks import labware_location

IDLE_TICKS, BUSY_TICKS, CHANGED = 201, 21, 100


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure milliseconds of wall of the task's call, within a recorded run; medians.

    A first full sync and a tick come before: a daemon does them once in its life.
    """
    with house.daemon() as daemon:
        daemon.counts(labware_location.follow)
        idle = Clocked(labware_location.follow)
        whole_idle = median_of(lambda: daemon.counts(idle), IDLE_TICKS)
        busy, whole_busy = Clocked(labware_location.follow), []
        for turn in range(BUSY_TICKS):
            move(house, seed=turn)
            whole_busy.append(seconds_of(lambda: expect(daemon.counts(busy), CHANGED)))
    seconds = [
        statistics.median(idle.seconds),
        whole_idle,
        statistics.median(busy.seconds),
        statistics.median(whole_busy),
    ]
    others = _rivals(house) if rivals else ([], [])
    return _lines(house, [value * 1000 for value in seconds], *others)


def expect(counts: Any, updated: int) -> None:
    """Fail if the tick did not update so many rows: then the measurement is void."""
    if counts["updated"] != updated:
        raise AssertionError(f"the tick was to change {updated} rows: {dict(counts)}")


def move(house: House, seed: int, count: int = CHANGED) -> datetime:
    """Move labwares, each to another shelf and with an audit; return the moment just before."""
    chosen = random.Random(f"{house.labwares} {seed}").sample(range(1, house.labwares + 1), count)
    before: datetime = house.labwhere("SELECT MAX(updated_at) FROM audits WHERE id > (SELECT MAX(id) - 9 FROM audits)")[
        0
    ][0]
    ids = ", ".join(map(str, chosen))
    house.labwhere(
        "UPDATE labwares SET coordinate_id = NULL, location_id = 40 + (IFNULL(location_id, 0) + 7) % 150 "
        f"WHERE id IN ({ids})"
    )
    house.labwhere(
        "INSERT INTO audits (auditable_type, auditable_id, action, record_data, user_id, uuid, created_at, updated_at) "
        "SELECT 'Labware', id, 'scanned', '{}', id % 40 + 1, UUID(), UTC_TIMESTAMP(), UTC_TIMESTAMP() "
        f"FROM labwares WHERE id IN ({ids})"
    )
    return before


def _lines(house: House, values: list[float], idle: list[Rival], busy: list[Rival]) -> list[Line]:
    without, with_news = "labware tick without news", f"labware tick with {CHANGED} changed labwares"
    size, recorded = f"{3 * house.labwares:,} audits", "with the record of its run"
    return [
        Line(f"{without}, {size}", values[0], "ms", "<= 5 ms", values[0] <= 5, idle, without, house.labwares),
        Line(f"{without}, {size}, {recorded}", values[1], "ms"),
        Line(f"{with_news}, {size}", values[2], "ms", "<= 50 ms", values[2] <= 50, busy, with_news, house.labwares),
        Line(f"{with_news}, {size}, {recorded}", values[3], "ms"),
    ]


def _rivals(house: House) -> tuple[list[Rival], list[Rival]]:
    labwhere, mlwh = house.warehouses.labwhere_url, house.warehouses.mlwh_url
    rival_engineer.make_table(mlwh)
    try:
        now = datetime(2999, 1, 1)
        idle = median_of(lambda: rival_engineer.sync(labwhere, mlwh, now), 3)
        before = move(house, seed=1_000)
        busy = seconds_of(lambda: rival_engineer.sync(labwhere, mlwh, before))
    finally:
        rival_engineer.drop_table(mlwh)
    with rival_engineer.connect(labwhere) as connection:
        cursor = connection.cursor()
        bare = median_of(lambda: cursor.execute("SELECT id FROM audits WHERE id > 2000000000 ORDER BY id LIMIT 1"), 201)
    first = "one query for all newer than a timestamp, executemany"
    limit = Rival("limit: the server's answer that there is no new id", bare * 1000)
    return [Rival(first, idle * 1000), rival_dlt.tick(house), limit], [Rival(first, busy * 1000)]
