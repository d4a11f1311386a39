"""A dlt pipeline as its user would write it: rows newer than a timestamp, merged into a table by its key.

It runs in an environment of its own, with dlt and without Janitor:
`python dlt_pipeline.py LABWHERE_URL MLWH_URL VIEW FOLDER`. It runs once with everything new, then three times with
nothing new; its last line is JSON.
"""

import json
import sys
import time
from pathlib import Path

import dlt  # type: ignore[import-not-found]
from dlt.sources.sql_database import sql_table  # type: ignore[import-not-found]


def tick(labwhere: str, mlwh: str, view: str, folder: str) -> float:
    """Run the pipeline once; return the seconds."""
    began = time.perf_counter()
    rows = sql_table(
        credentials=labwhere,
        table=view,
        incremental=dlt.sources.incremental("stored_at"),
        primary_key="labware_barcode",
        backend="sqlalchemy",
    )
    rows.apply_hints(write_disposition="merge", primary_key="labware_barcode")
    pipeline = dlt.pipeline(
        "labware_location",
        pipelines_dir=folder,
        destination=dlt.destinations.sqlalchemy(credentials=mlwh),
        dataset_name=mlwh.rpartition("/")[2],
    )
    pipeline.run(rows, table_name="labware_location_dlt")
    return time.perf_counter() - began


def main(labwhere: str, mlwh: str, view: str, folder: str) -> None:
    """Run it once, and three times more with nothing new."""
    first = tick(labwhere, mlwh, view, folder)
    later = sorted(tick(labwhere, mlwh, view, folder) for _ in range(3))
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"first": first, "later": later[1], "peak_mb": int(peak.split()[1]) * 1024 / 1e6}))


if __name__ == "__main__":
    main(*sys.argv[1:5])
