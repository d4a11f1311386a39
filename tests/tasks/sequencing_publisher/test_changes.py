"""sequencing_publisher: what the messages of a status are, and which statuses have none (yet)."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from janitor.memory import Quarantined
from janitor.publisher import Schema
from janitor.tasks.sequencing_publisher import follow, reconcile
from janitor.tasks.sequencing_publisher.changes import SCHEMA, Deriver
from janitor.tasks.sequencing_publisher.parts import PACKAGE, Labware, Part
from tests.fixtures import Warehouses
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import all_of, derived
from tests.tasks.sequencing_publisher.remembered import reasons
from tests.tasks.sequencing_publisher.warehouse import RUN, Warehouse


def test_every_field_of_a_message(warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path) -> None:
    sample, study = warehouse.sample("Supplier ß 1", ("DN7X",)), warehouse.study("Study of λ")
    product = warehouse.product(RUN, sample, study)
    warehouse.irods(product, "/seq/illumina/48", "plex1/1#1.cram", "plex1/1#1.cram.crai")
    set_at = warehouse.now.replace(second=7)
    warehouse.status(RUN, 11, set_at)
    assert to_files().counts(follow)["published"] == 1
    assert in_files(messages_dir) == {
        (
            set_at.replace(tzinfo=UTC),
            RUN,
            "Study of λ",
            "Supplier ß 1",
            "DN7X",
            11,
            "/seq/illumina/48",
            "plex1/1#1.cram",
            "plex1/1#1.cram.crai",
        ): 1
    }


def test_what_changes_in_the_window_is_published_anew(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    sample, study = warehouse.sample("one", ("DN1",)), warehouse.study()
    product = warehouse.product(RUN, sample, study)
    warehouse.status(RUN)
    daemon = to_files()
    daemon.run(follow)
    expected = all_of(warehouses)
    changes: list[Callable[[], object]] = [
        lambda: warehouse.irods(product, "/root", "a.cram"),
        lambda: warehouse.manifest([sample], ("DN2",)),
        lambda: warehouse.mlwh.change("sample", {"id_sample_tmp": sample}, supplier_name="renamed"),
    ]
    for change in changes:
        change()
        assert daemon.counts(reconcile)["published"] == 1
        expected |= all_of(warehouses)
        assert in_files(messages_dir) == expected
    assert sum(expected.values()) == 4
    assert daemon.counts(reconcile)["published"] == 0


@pytest.mark.parametrize("old", [False, True])
def test_a_sample_without_a_name_waits(
    old: bool, warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    if old:
        warehouse.now -= timedelta(days=40)
    nameless, named = warehouse.sample(None, uuid_text="00000000-0000-0000-0000-0000000000aa"), warehouse.sample("two")
    in_study_without_name = warehouse.sample("three", uuid_text="00000000-0000-0000-0000-0000000000bb")
    study, unnamed = warehouse.study(), warehouse.study(None)
    late = warehouse.product(RUN, named, study)
    warehouse.product(RUN, nameless, study)
    warehouse.product(RUN, in_study_without_name, unnamed)
    for status in (1, 2):
        warehouse.status(RUN, status)
    daemon = to_files()
    assert daemon.counts(follow)["quarantined"] == 2
    assert daemon.counts(reconcile)["quarantined"] == 2
    assert set(reasons(daemon)) == {"00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000bb"}
    assert "sample_supplier_id" in reasons(daemon)["00000000-0000-0000-0000-0000000000aa"]
    assert "sequencing_study" in reasons(daemon)["00000000-0000-0000-0000-0000000000bb"]
    expected = all_of(warehouses)
    assert in_files(messages_dir) == expected and sum(expected.values()) == 2
    warehouse.irods(late, "/root", "late.cram")  # of another sample: only of recent statuses is that news
    warehouse.mlwh.change("sample", {"id_sample_tmp": nameless}, supplier_name="known now")
    warehouse.mlwh.change("study", {"id_study_tmp": unnamed}, name="named now")
    assert daemon.counts(reconcile)["published"] == (4 if old else 6)
    assert reasons(daemon) == {}
    now = all_of(warehouses)
    assert in_files(messages_dir) == expected | (Counter(r for r in now if r[3] != "two") if old else now)
    assert daemon.counts(reconcile)["published"] == 0


def test_a_number_that_the_schema_cannot_hold_waits(
    warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path
) -> None:
    study = warehouse.study()
    warehouse.product(2**31, warehouse.sample("one"), study)
    warehouse.product(RUN, warehouse.sample("two"), study)
    warehouse.status(2**31)
    warehouse.status(RUN)
    daemon = to_files()
    counts = daemon.counts(follow)
    assert (counts["published"], counts["quarantined"]) == (1, 1)
    assert "id_run" in "".join(reasons(daemon).values())
    assert {record[3] for record in in_files(messages_dir)} == {"two"}


def test_dates_are_read_in_their_declared_zone(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    warehouse.product(RUN, warehouse.sample(), warehouse.study())
    warehouse.status(RUN, 1, datetime(2025, 7, 1, 12, 30))
    warehouse.status(RUN, 2, datetime(2025, 12, 1, 12, 30))
    to_files(MLWH_TIMEZONE="Europe/London").run(follow)
    found = in_files(messages_dir)
    assert found == Counter(derived(warehouses, ZoneInfo("Europe/London")).messages.values())
    assert {record[0] for record in found} == {
        datetime(2025, 7, 1, 11, 30, tzinfo=UTC),
        datetime(2025, 12, 1, 12, 30, tzinfo=UTC),
    }


FIRST, SECOND = "00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000bb"


def status(date: object = datetime(2026, 7, 1, 12, 30)) -> Any:
    """Make a row of the feed: status 5 of a run."""
    return SimpleNamespace(id_run_status=5, id_run=RUN, date=date, id_run_status_dict=20)


def part(sample_uuid: str, *barcodes: str) -> Part:
    """Make a part of a run: a sample in labwares with these barcodes."""
    labwares = [Labware(barcode.encode(), barcode) for barcode in barcodes]
    return Part(sample_uuid, "supplier 1", "SQSCP", "7", "Study", None, None, None, labwares)


@pytest.fixture
def deriver() -> Deriver:
    """Make messages of statuses whose dates are in London's time."""
    return Deriver(Schema.load(PACKAGE, SCHEMA), ZoneInfo("Europe/London"))


def test_each_labware_of_a_sample_makes_a_message(deriver: Deriver) -> None:
    made = deriver.of_status(status(), [part(FIRST, "DN1", "DN2"), part(SECOND)])
    assert [change.record["labware_barcode"] for change in made.changes] == ["DN1", "DN2"]
    assert {change.record["change_date"] for change in made.changes} == {datetime(2026, 7, 1, 11, 30, tzinfo=UTC)}
    assert (made.without_manifest, made.rejected) == (1, [])


def test_equal_messages_of_two_samples_have_two_digests(deriver: Deriver) -> None:
    one, other = deriver.of_status(status(), [part(FIRST, "DN1"), part(SECOND, "DN1")]).changes
    assert one.record == other.record and one.digest != other.digest
    assert deriver.of_status(status(), [part(FIRST, "DN1")]).changes == [one]


def test_only_the_wanted_samples_have_messages(deriver: Deriver) -> None:
    both = [part(FIRST, "DN1"), part(SECOND, "DN2")]
    made = deriver.of_status(status(), both, only=frozenset({SECOND}))
    assert [change.record["labware_barcode"] for change in made.changes] == ["DN2"]


def test_what_has_no_uuid_or_no_date_waits(deriver: Deriver) -> None:
    made = deriver.of_status(status(), [part("sample 7", "DN1"), part(FIRST, "DN2")])
    assert made.rejected == [Quarantined("sample 7", "sample sample 7: its uuid_sample_lims is not a uuid", "5")]
    assert len(made.changes) == 1
    undated = deriver.of_status(status("0000-00-00"), [part(FIRST, "DN2")])
    assert undated.rejected == [
        Quarantined("status 5", f"status 5 of run {RUN}: its date '0000-00-00' is no date", "5")
    ]
    assert not undated.changes
