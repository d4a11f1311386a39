"""A run of a task that reads feeds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.runs import Run, running
from janitor.state import holders
from tests.small_engine import migrated


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    state = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    with running(Run(id=1, job="reader", state=state, holder=holders.new_holder())) as run:
        yield run
    state.close()
