"""Fills the warehouses with a lab's rows, by statements on the server: a million labwares in a minute or two.

All rows are valid. A labware has three audits, the last of them in an order of its own, and one product. A run has 96
products and 13 statuses. It shares a quarter of its samples with the next run. Each sample is in a manifest with 47
others and a labware, and every third manifest was updated again.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

from sqlalchemy import Engine

from janitor.demo.warehouses import NAMES

PRODUCTS, STATUSES, MANIFEST_SAMPLES, RUNS_A_DAY = 96, 13, 48, 10
FIRST_RUN = 37_000
FIRST_SHELF, SHELVES = 40, 150


@dataclass(frozen=True)
class Size:
    """How many rows of each kind there are for a number of labwares."""

    labwares: int

    @property
    def boxes(self) -> int:
        """Boxes of 96 places: for two labwares in five, 80 in a box."""
        return self.labwares * 2 // 5 // 80 + 1

    @property
    def runs(self) -> int:
        """Sequencing runs; the last run may have fewer products."""
        return -(-self.labwares // PRODUCTS)

    @property
    def samples(self) -> int:
        """Samples: a run shares a quarter of its samples with the next run."""
        return (self.runs - 1) * 72 + PRODUCTS

    @property
    def manifests(self) -> int:
        """Sample manifests."""
        return -(-self.samples // MANIFEST_SAMPLES)

    @property
    def studies(self) -> int:
        """Studies."""
        return max(4, self.runs // 10)

    @property
    def stride(self) -> int:
        """A step with which every labware is visited once."""
        return next(step for step in range(7919, 2 * 7919 + self.labwares) if math.gcd(step, self.labwares) == 1)

    def places(self, now: datetime) -> dict[str, object]:
        """Return the values for `$name` in the .sql files."""
        days = -(-self.runs // RUNS_A_DAY) + 5
        begin = (now - timedelta(days=days)).replace(tzinfo=None).isoformat(" ", "seconds")
        return {
            "labwares": self.labwares,
            "boxes": self.boxes,
            "runs": self.runs,
            "samples": self.samples,
            "manifests": self.manifests,
            "studies": self.studies,
            "stride": self.stride,
            "audits": 3 * self.labwares,
            "first_run": FIRST_RUN,
            "first_shelf": FIRST_SHELF,
            "span": days * 86_400 - 7_200,
            "run_seconds": 86_400 // RUNS_A_DAY,
            "begin": begin,
            "events": 2 * self.manifests + self.manifests // 3,
        }


def fill(labwhere: Engine, mlwh: Engine, events: Engine, labwares: int) -> None:
    """Fill the empty tables of three warehouses on a MariaDB server, all at once. Their history ends two days ago."""
    places = Size(labwares).places(datetime.now(UTC))
    with ThreadPoolExecutor(len(NAMES)) as pool:
        list(pool.map(lambda engine, name: _fill_one(engine, name, places), (labwhere, mlwh, events), NAMES))


def _fill_one(engine: Engine, name: str, places: dict[str, object]) -> None:
    text = Path(__file__).with_name(f"fill_{name}.sql").read_text(encoding="utf-8")
    for statement in Template(text).substitute(places).split(";\n"):
        if statement.strip():
            _execute(engine, statement)
    _analyze(engine)


def _execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        # The server fills an empty table in bulk then.
        connection.exec_driver_sql("SET unique_checks = 0, foreign_key_checks = 0")
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _analyze(engine: Engine) -> None:
    with engine.begin() as connection:
        for (table,) in connection.exec_driver_sql("SHOW TABLES").all():
            connection.exec_driver_sql(f"ANALYZE TABLE `{table}`").all()
