"""A small lab, and what its warehouses hold."""

from datetime import timedelta

from sqlalchemy import Engine

from janitor.demo.lab import SimulatedLab
from tests.fixtures import NOW, Warehouses


def at_work(warehouses: Warehouses) -> SimulatedLab:
    """Fill the warehouses with a small lab, and let it begin."""
    warehouses.fill(labwares=120, runs=2, products=8)
    return SimulatedLab(warehouses.labwhere_url, warehouses.mlwh_url, warehouses.events_url, seed=3)


def work(lab: SimulatedLab, steps: int) -> None:
    """Let the lab do so many things, each 0.4 s after the thing before."""
    for step in range(steps):
        lab.step(NOW + timedelta(seconds=0.4 * step))


def rows(engine: Engine, statement: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement.replace("%", "%%"))]


def one(engine: Engine, statement: str) -> object:
    """Return the only value of a query."""
    return rows(engine, statement)[0][0]
