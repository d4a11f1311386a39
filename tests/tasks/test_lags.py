"""How late a commit may be, in minutes and hours as promised: what comes that late after a later id is still found."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from janitor.tasks import labware_location, sequencing_publisher
from janitor.tasks.labware_location import sync
from janitor.tasks.sequencing_publisher import publish
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.clock import Clock
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.warehouse import Warehouse

A_LITTLE = 5.0


def test_an_audit_ten_minutes_late_is_not_lost(
    warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given follow, which has read the audit with id 8. The commit of id 7 is still open.
    # What happens: follow runs for almost ten minutes. Then id 7 is committed.
    # What must hold: the next run reads id 7, and its labware gets its row.
    clock = Clock().give_to(monkeypatch, sync, "audits")
    daemon, lab = Daemon(warehouses.environment(), state_folder), LabWhere(warehouses.labwhere)
    user, shelf = lab.user(), lab.location()
    slow, quick = lab.labware("SLOW", shelf), lab.labware("QUICK", shelf)
    daemon.counts(labware_location.follow)
    lab.audit("Labware", quick, user, id=8)
    assert daemon.counts(labware_location.follow)["inserted"] == 1
    for _ in range(2):
        clock.advance(timedelta(minutes=5).total_seconds() - A_LITTLE)
        assert daemon.counts(labware_location.follow)["audits"] == 0
    lab.audit("Labware", slow, user, id=7)
    assert daemon.counts(labware_location.follow)["inserted"] == 1
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    daemon.close()


def test_a_status_a_day_late_is_not_lost(
    warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given follow, which has published the status with id 8. The commit of id 7 is still open.
    # What happens: follow runs for almost a day. Then id 7 is committed.
    # What must hold: the next run publishes id 7.
    clock = Clock().give_to(monkeypatch, publish, "statuses")
    warehouse, messages = Warehouse(warehouses, datetime(2026, 7, 1)), state_folder / "messages"
    warehouse.product(1, warehouse.sample(), warehouse.study())
    daemon = Daemon(warehouses.environment() | {"MESSAGES_DIR": str(messages)}, state_folder)
    daemon.counts(sequencing_publisher.follow)
    warehouse.status(1, 6, id=8)
    assert daemon.counts(sequencing_publisher.follow)["published"] == 1
    for _ in range(2):
        clock.advance(timedelta(hours=12).total_seconds() - A_LITTLE)
        assert daemon.counts(sequencing_publisher.follow)["statuses"] == 0
    warehouse.status(1, 5, id=7)
    assert daemon.counts(sequencing_publisher.follow)["published"] == 1
    assert {record[5] for record in in_files(messages)} == {5, 6}
    daemon.close()
