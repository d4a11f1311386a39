"""Every test of the sink has a time limit of its own for statements."""

from collections.abc import Iterator

import pytest

from janitor import databases
from janitor.databases import Limits


@pytest.fixture(autouse=True)
def fresh_engines() -> Iterator[None]:
    databases.configure(Limits(statement_seconds=20))
    yield
    databases.configure(Limits())
