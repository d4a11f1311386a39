"""Whether people look at a dashboard: known over restarts, and no reason to fail."""

import time
from pathlib import Path

from sqlalchemy import URL

from janitor.web.serving.visits import LATELY_SECONDS, Visits
from tests.small_engine import eventually
from tests.web.caller import Caller
from tests.web.desks import served


def test_a_visit_is_remembered_for_a_month(tmp_path: Path) -> None:
    beat = tmp_path / "heartbeat"
    assert not Visits(beat).are_recent
    Visits(beat).note()
    assert Visits(beat).are_recent
    assert Visits(beat, clock=lambda: time.time() + LATELY_SECONDS - 60).are_recent
    assert not Visits(beat, clock=lambda: time.time() + LATELY_SECONDS + 60).are_recent


def test_a_visit_that_cannot_be_noted_hinders_nobody(tmp_path: Path) -> None:
    visits = Visits(tmp_path / "nowhere" / "heartbeat")
    visits.note()
    assert not visits.are_recent


def test_whoever_asks_is_a_visitor_and_a_probe_is_none(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, lambda scheduler: None) as (desk, address):
        visits = Visits(desk.settings.heartbeat_file)
        assert Caller(address)("GET", "/health/ready").status == 200
        assert not visits.are_recent
        assert Caller(address)("GET", "/api/jobs").status == 200
        assert eventually(lambda: visits.are_recent)
