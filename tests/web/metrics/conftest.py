"""A desk that is scraped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.web.desk import Desk
from janitor.web.metrics import vitals
from tests.small_engine import empty_state
from tests.web.desks import add_jobs, served


@pytest.fixture(params=["sqlite"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Desk, str]]:
    monkeypatch.setattr(vitals, "KEEP_SECONDS", 0.05)
    monkeypatch.setattr(vitals, "WRITE_KEEP_SECONDS", 0.05)
    with served(empty_state(request, tmp_path), tmp_path, add_jobs) as found:
        yield found
