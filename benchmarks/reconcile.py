"""Reconcile with rows that are all equal."""

import statistics
from typing import Any

from benchmarks import limits
from benchmarks.house import House
from benchmarks.measures import Line, Rival

REPEATS = 3


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure rows a second of the task's call in a process of its own, and the rows it wrote, as the server counts."""
    house.run_alone("labware_location.follow")
    written = -_writes(house)
    found = [_checked(house, house.run_alone("labware_location.reconcile")) for _ in range(REPEATS if rivals else 1)]
    written += _writes(house)
    rate = house.labwares / statistics.median(run["seconds"] for run in found)
    memory = max(run["peak_mb"] for run in found)
    name = f"reconcile of {house.labwares:,} equal rows"
    others = [Rival("limit: one statement on one server that compares all", house.labwares / limits.compare(house))]
    # At smaller sizes the task's fixed costs are larger than its work.
    goal, met = (">= 60,000 rows/s", rate >= 60_000) if rivals else ("", None)
    return [
        Line(name, rate, "rows/s", goal, met, others if rivals else (), "reconcile", house.labwares),
        Line(f"{name}, rows written", written, "rows", "0 rows", written == 0),
        Line(f"{name}, peak memory", memory, "MB"),
    ]


def _checked(house: House, found: dict[str, Any]) -> dict[str, Any]:
    counts = found["counts"]
    if counts["checked"] != house.labwares or counts["missing"] or counts["different"]:
        raise AssertionError(f"reconcile was to find {house.labwares} equal rows: {counts}")
    return found


def _writes(house: House) -> int:
    """Count the rows inserted, updated and deleted since the server started."""
    counters = ("Handler_write", "Handler_update", "Handler_delete")
    names = ", ".join(f"'{name}'" for name in counters)
    rows = house.mlwh(f"SHOW GLOBAL STATUS WHERE variable_name IN ({names})")
    return sum(int(value) for _, value in rows)
