"""What the lab does with sequencing runs: it starts them, and sets their statuses."""

import random
from datetime import timedelta

import pytest

from janitor.demo.deeds import Agenda
from janitor.demo.sequencing_deeds import LATE_SECONDS, NEW_RUN_SAMPLES, SequencingDeeds
from janitor.demo.sequencing_rows import STATUSES
from tests.demo.at_work import one, rows
from tests.fixtures import NOW, Warehouses

NEWEST = "SELECT id_run_status, id_run, id_run_status_dict, iscurrent FROM iseq_run_status ORDER BY id_run_status DESC"


@pytest.fixture
def agenda() -> Agenda:
    """Give an agenda with nothing to do."""
    return Agenda()


@pytest.fixture
def deeds(sqlite_warehouses: Warehouses, agenda: Agenda) -> SequencingDeeds:
    """Give deeds on warehouses that hold nothing."""
    return SequencingDeeds(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, random.Random(3), agenda)


def test_a_run_starts_with_samples_and_its_first_status(
    deeds: SequencingDeeds, agenda: Agenda, sqlite_warehouses: Warehouses
) -> None:
    deed = deeds.start_run(NOW)
    mlwh = sqlite_warehouses.mlwh
    assert deed.words == f"starts run 1 with {NEW_RUN_SAMPLES} samples: {STATUSES[0]}"
    assert one(mlwh, "SELECT COUNT(*) FROM iseq_flowcell") == NEW_RUN_SAMPLES
    assert one(mlwh, "SELECT COUNT(*) FROM iseq_product_metrics") == 0
    assert rows(mlwh, NEWEST) == [(1, 1, 1, 1)]
    assert agenda.take(NOW) is None and agenda.take(NOW + timedelta(seconds=1)) is not None
    assert deeds.start_run(NOW).words.startswith("starts run 2 ")


def test_the_next_status_replaces_the_current_status(deeds: SequencingDeeds, sqlite_warehouses: Warehouses) -> None:
    deeds.start_run(NOW)
    assert deeds.set_status(NOW).words == f"sets run 1 to {STATUSES[1]!r}"
    assert rows(sqlite_warehouses.mlwh, NEWEST) == [(2, 1, 2, 1), (1, 1, 1, 0)]


def test_a_late_status_is_committed_after_a_higher_id(
    deeds: SequencingDeeds, agenda: Agenda, sqlite_warehouses: Warehouses
) -> None:
    deeds.start_run(NOW)
    assert "as status 2, and does not commit" in deeds.set_status_late(NOW).words
    deeds.set_status(NOW)
    assert [row[:3] for row in rows(sqlite_warehouses.mlwh, NEWEST)] == [(3, 1, 3), (1, 1, 1)]
    acts = [agenda.take(NOW + timedelta(seconds=LATE_SECONDS)) for _ in range(4)]
    words = [act(NOW).words for act in acts if act is not None]
    assert "commits status 2 of run 1 late: the newest is 3" in words
    assert [row[:3] for row in rows(sqlite_warehouses.mlwh, NEWEST)] == [(3, 1, 3), (2, 1, 2), (1, 1, 1)]


def test_a_run_that_is_over_begins_anew(deeds: SequencingDeeds, sqlite_warehouses: Warehouses) -> None:
    deeds.start_run(NOW)
    for _ in STATUSES:
        deeds.set_status(NOW)
    statuses = [row[2] for row in reversed(rows(sqlite_warehouses.mlwh, NEWEST))]
    assert statuses == [*range(1, len(STATUSES) + 1), 2]
