"""The first page: what is wrong stands first, and its verdict is true."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.state import deliveries, notices
from tests.small_engine import migrated, remember, remember_run
from tests.web import house
from tests.web.desks import served
from tests.web.pages.furnished import House
from tests.web.visitor import Visitor


def test_what_is_wrong_stands_first(made: House) -> None:
    first = made.operator.get("/")
    assert "1 of 9 jobs needs you" in first.words
    assert f"/runs/{made.run_of('labware_location', 'missed')}" in first.links("/runs/"), "it is in the timeline"
    page = made.operator.get("/jobs")
    names = [path for path in page.links("/jobs/") if "#" not in path]
    assert names[0] == "/jobs/sequencing_publisher"
    for words in ("overdue", "Paused by anna", "Switched off: until the archive has room", " in quarantine"):
        assert words in page.words
    failed = made.operator.get(f"/runs/{made.run_of('sequencing_publisher', 'failed')}")
    assert failed.words.index("refuses connections; 12 messages wait") < failed.words.index("Facts")


@pytest.mark.parametrize(
    ("ended", "outcome", "expected"),
    [
        (True, deliveries.DELIVERED, "All is well"),
        (False, deliveries.DELIVERED, "No job fails, but 1 notice is open"),
        (True, deliveries.GIVEN_UP, "No job fails, but not every notice was delivered"),
    ],
)
def test_all_is_well_only_if_nothing_is_open(tmp_path: Path, ended: bool, outcome: str, expected: str) -> None:
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(timezone.utc)
    state = migrated(url)
    remember(state, "nightly_reconcile", now)
    remember_run(state, "nightly_reconcile", now, ended_at=now, seconds=1.0)
    with state.begin() as connection:
        notice = notices.begin(connection, "quarantine_growing", "nightly_reconcile", "12 rows", None, now)
        deliveries.add(connection, notice, "email", deliveries.BEGAN, "{}", now)
        deliveries.close(connection, 1, outcome, now, "no such mailbox")
        if ended:
            notices.end(connection, notice, now)
    state.close()
    with served(url, tmp_path, house.add_jobs) as (_, address):
        verdict = Visitor(address).get("/").text.partition('id="verdict"')[2].partition("</h1>")[0]
    assert expected in verdict and ("o-fine" in verdict) == (expected == "All is well")


def test_a_new_state_database_is_told_first_and_leads_nowhere(tmp_path: Path) -> None:
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(timezone.utc)
    state = migrated(url)
    remember(state, "nightly_reconcile", now)
    remember_run(state, "nightly_reconcile", now, ended_at=now, seconds=1.0)
    with state.begin() as connection:
        notices.begin(connection, "state_made", "janitor", "there was no state database at here", None, now)
    state.close()
    with served(url, tmp_path, house.add_jobs) as (_, address):
        pages = [Visitor(address).get(path) for path in ("/", "/notices")]
    assert "No job fails, but 1 notice is open" in pages[0].words
    for page in pages:
        assert "There was no state database at here" in page.words and "state made" in page.words
        assert "/jobs/janitor" not in page.links("/jobs/")


def test_what_a_person_must_know_of_the_daemon_is_told(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    with served(url, tmp_path, house.add_jobs) as (desk, address):
        verdicts = []
        for name in ("the clock of this host", "the moon"):
            desk.runner.loops.note(name, f"{name} is <wrong>")
            page = Visitor(address).get("/")
            verdicts.append(page.text.partition('id="verdict"')[2].partition("</h1>")[0])
            assert f"{name} is <wrong>" in page.words
        for _ in range(2):
            desk.runner.obstacles.meet("coming to lead", "another daemon leads")
        verdicts.append(Visitor(address).get("/").text.partition('id="verdict"')[2].partition("</h1>")[0])
        troubles = json.loads(Visitor(address).get("/api/overview").text)["troubles"]
    assert "No job fails, but look at the clock of this host" in verdicts[0] and "o-interrupted" in verdicts[0]
    assert "look at the clock of this host and the moon" in verdicts[1] and "o-interrupted" in verdicts[1]
    assert "1 part of the daemon fails again and again" in verdicts[2] and "o-failing" in verdicts[2]
    assert [(one["part"], one["failures"]) for one in troubles] == [
        ("coming to lead", 2),
        ("the clock of this host", 0),
        ("the moon", 0),
    ]


def test_a_part_that_fails_again_and_again_stands_first(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()

    def fail() -> None:
        raise ValueError("the pipe <is> blocked")

    with served(url, tmp_path, house.add_jobs) as (desk, address):
        duty = desk.runner.loops.duty("the copier", fail)
        for _ in range(4):
            duty.do()
        page = Visitor(address).get("/")
        (trouble,) = json.loads(Visitor(address).get("/api/overview").text)["troubles"]
    verdict = page.text.partition('id="verdict"')[2].partition("</h1>")[0]
    assert "1 part of the daemon fails again and again" in verdict and "o-failing" in verdict
    assert "the copier" in page.words and "ValueError: the pipe <is> blocked" in page.words
    assert (trouble["part"], trouble["failures"], trouble["why"]) == (
        "the copier",
        4,
        "ValueError: the pipe <is> blocked",
    )
