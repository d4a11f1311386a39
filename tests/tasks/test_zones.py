"""No result depends on the zone of the machine: rows, messages and windows are the same wherever it stands."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from janitor.tasks import labware_location, sequencing_publisher
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.rows import Tables, moment
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.warehouse import Warehouse

RUN = 48123


@pytest.fixture(params=["America/Los_Angeles", "Asia/Tokyo"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The zone that this machine is in, for the length of a test."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_no_result_depends_on_the_machines_zone(machine_zone: str, warehouses: Warehouses, state_folder: Path) -> None:
    # Given a machine whose clock is hours away from UTC, and statuses just inside and outside of 14 days.
    # What happens: both follows and the publisher's reconcile run.
    # What must hold: rows, messages and reconcile's window of 14 days are the same as on a machine in UTC.
    began = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    assert abs(datetime.now() - began) > timedelta(hours=6), machine_zone
    lab, warehouse = LabWhere(warehouses.labwhere), Warehouse(warehouses, began)
    lab.scan(lab.labware("DN1A"), lab.user(), lab.location())
    product = warehouse.product(RUN, warehouse.sample(), warehouse.study())
    for status, age in ((1, timedelta(days=14, hours=3)), (2, timedelta(days=13, hours=21))):
        warehouse.status(RUN, status, began - age)
    settings = {"MESSAGES_DIR": str(state_folder / "messages"), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(warehouses.environment() | settings, state_folder)
    daemon.counts(labware_location.follow)
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    (row,) = Tables(warehouses.mlwh).all("labware_location", "created_at", "updated_at")
    assert all(timedelta() <= (moment(at) or datetime.min) - began < timedelta(minutes=5) for at in row.values())
    daemon.counts(sequencing_publisher.follow)
    messages = Counter(derived(warehouses).messages.values())
    assert in_files(state_folder / "messages") == messages and len(messages) == 2
    # Of a path that came late only the status of the last 14 days gets to know.
    warehouse.irods(product, "/root", "late.cram")
    assert daemon.counts(sequencing_publisher.reconcile)["published"] == 1
    late = [record for record in in_files(state_folder / "messages") if record[6]]
    assert [record[5] for record in late] == [2]
    daemon.close()
