"""The full sync: all labwares into an empty table, in a process of its own."""

import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import limits, processes, rival_dlt, rival_engineer
from benchmarks.house import House
from benchmarks.measures import Line, Rival

REPEATS = 3


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure its seconds over the limit's, its rows a second, and its peak memory; medians of three if largest.

    The limit: read the same rows with the server's client, and LOAD DATA them into an empty copy of the table. Janitor
    and the limit take turns. Of Janitor the task's call is timed. The goal holds only at the largest size: at 10,000
    labwares the task's fixed costs are larger than its work.
    """
    ours, reading, loading = [], [], []
    for _ in range(REPEATS if rivals else 1):
        with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-") as folder:
            rows = Path(folder) / "rows"
            limits.read(house, rows)
            reading.append(limits.read(house))
            loading.append(limits.load_data(house, rows))
        house.begin_anew()
        ours.append(_checked(house, house.run_alone("labware_location.follow")))
    others = _rivals(house) if rivals else ([], [])
    parts = [
        Rival("limit: reading the same rows with the server's client", statistics.median(reading)),
        Rival("limit: LOAD DATA of them into an empty copy of the table", statistics.median(loading)),
    ]
    return _lines(house, ours, parts, *others)


def _checked(house: House, found: dict[str, Any]) -> dict[str, Any]:
    if found["counts"]["inserted"] != house.labwares:
        raise AssertionError(f"the full sync was to insert {house.labwares} rows: {found['counts']}")
    return found


def _lines(
    house: House, ours: list[dict[str, Any]], limit: list[Rival], rates: list[Rival], memories: list[Rival]
) -> list[Line]:
    name = f"full sync of {house.labwares:,} labwares into an empty table"
    seconds = statistics.median(run["seconds"] for run in ours)
    memory = max(run["peak_mb"] for run in ours)
    over = seconds / sum(part.value or 0 for part in limit)
    curve = "peak memory of a full sync"
    least = [Rival(part.name, part.value and house.labwares / part.value) for part in limit]
    return [
        Line(f"{name}, over the limit", over, "times", *(("<= 1.5 times", over <= 1.5) if rates else ())),
        Line(name, seconds, "s", rivals=limit, curve="full sync", labwares=house.labwares),
        Line(f"{name}, rate", house.labwares / seconds, "rows/s", rivals=[*least, *rates]),
        Line(f"{name}, peak memory", memory, "MB", "<= 120 MB", memory <= 120, memories, curve, house.labwares),
    ]


def _rivals(house: House) -> tuple[list[Rival], list[Rival]]:
    """Return rates and peak memories: so a rival may be measured on fewer rows."""
    urls = [house.warehouses.labwhere_url, house.warehouses.mlwh_url]
    rival_engineer.make_table(urls[1])
    try:
        texts = [url.render_as_string(hide_password=False) for url in urls]
        first = processes.python("benchmarks.rival_engineer", *texts)
    finally:
        rival_engineer.drop_table(urls[1])
    within = house.labwares / limits.insert_select(house)
    rates = [
        Rival("limit: INSERT ... SELECT within one server", within),
        Rival("one query for all newer than a timestamp, executemany", first["rows"] / first["seconds"]),
        rival_dlt.full_load(house),
    ]
    memories = [Rival("one query for all newer than a timestamp, executemany", first["peak_mb"])]
    return rates, [*memories, rival_dlt.memory(house)]
