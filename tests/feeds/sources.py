"""Tables that feeds read."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine

from janitor import databases


@contextmanager
def source(url: URL, *statements: str) -> Iterator[Engine]:
    """A database in which the statements have made tables; all connections to it are closed in the end."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()
    databases.dispose()
