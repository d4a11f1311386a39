"""sequencing_publisher: what the messages of a status are, and which statuses have none (yet)."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from janitor.state import quarantine
from janitor.tasks.sequencing_publisher import follow, reconcile
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.rows import fill_recently
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.warehouse import CREATED, Warehouse

RUN = 48123


def reasons(daemon: Daemon) -> dict[str, str]:
    """By sample: why it is in quarantine."""
    with daemon.state.begin() as connection:
        return {row.key: row.reason for row in quarantine.listing(connection, "sequencing_publisher")}


def all_of(warehouses: Warehouses) -> Counter[tuple[object, ...]]:
    """The messages of every status there is."""
    return Counter(derived(warehouses).messages.values())


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


def test_paths_of_one_root_are_sorted_and_joined(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    sample, study = warehouse.sample(), warehouse.study()
    products = [warehouse.product(RUN, sample, study) for _ in range(4)]
    warehouse.irods(products[0], "/root/a", "z.cram", "z.crai")
    warehouse.irods(products[1], "/root/a", "b.cram", None)
    warehouse.irods(products[2], "/root/a", "Q.cram", "a.crai")
    warehouse.irods(products[2], "/root/b", None, None)
    warehouse.status(RUN)
    assert to_files().counts(follow)["published"] == 3
    found = in_files(messages_dir)
    assert found == all_of(warehouses)
    assert {record[6:] for record in found} == {
        ("/root/a", "Q.cram;b.cram;z.cram", "a.crai;z.crai"),
        ("/root/b", None, None),
        (None, None, None),
    }


def test_samples_studies_and_labwares_are_told_apart(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    first, second = warehouse.sample("one", ("DN1", "DN2", "DN3")), warehouse.sample("two", ("DN2",))
    studies = [warehouse.study("red"), warehouse.study("blue")]
    for sample in (first, second):
        for study in studies:
            warehouse.product(RUN, sample, study)
    warehouse.product(RUN + 1, second, studies[0])
    for status in (3, 4):
        warehouse.status(RUN, status)
    warehouse.status(RUN + 1, 3)
    assert to_files().counts(follow)["published"] == 2 * 2 * (3 + 1) + 1
    assert in_files(messages_dir) == all_of(warehouses)


def test_the_latest_manifest_is_that_of_the_highest_id(
    warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path
) -> None:
    sample = warehouse.sample("one", ())
    warehouse.product(RUN, sample, warehouse.study())
    warehouse.manifest([sample], ("FIRST",), id=10)
    warehouse.manifest([sample], ("HIGHEST", "HIGHEST TOO"), id=30)
    warehouse.manifest([sample], ("LATER BUT LOWER",), id=20)
    warehouse.manifest([sample], ("NO UPDATE",), CREATED, id=40)
    other = warehouse.sample("two", ())
    warehouse.manifest([other], ("OTHERS",), id=50)
    warehouse.status(RUN)
    to_files().run(follow)
    assert {record[4] for record in in_files(messages_dir)} == {"HIGHEST", "HIGHEST TOO"}


def test_products_that_lack_a_part_get_no_message_yet(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    study = warehouse.study()
    unlinked, unmanifested, complete = warehouse.sample("a"), warehouse.sample("b", ()), warehouse.sample("c")
    no_study = warehouse.sample("d")
    product = warehouse.product(RUN, unlinked, study, linked=False)
    for sample in (unmanifested, complete):
        warehouse.product(RUN, sample, study)
    warehouse.product(RUN, no_study, None)
    warehouse.status(RUN)
    warehouse.status(RUN + 1)  # has no products yet
    daemon = to_files()
    counts = daemon.counts(follow)
    assert (counts["published"], counts["without_manifest"], counts["quarantined"]) == (1, 1, 0)
    assert in_files(messages_dir) == all_of(warehouses)
    flowcells = warehouse.mlwh.all("iseq_flowcell", "id_iseq_flowcell_tmp", "id_sample_tmp")
    own = next(row["id_iseq_flowcell_tmp"] for row in flowcells if row["id_sample_tmp"] == unlinked)
    warehouse.mlwh.change("iseq_product_metrics", {"id_iseq_product": product}, id_iseq_flowcell_tmp=own)
    warehouse.manifest([unmanifested], ("DN9",))
    warehouse.mlwh.change("iseq_flowcell", {"id_sample_tmp": no_study}, id_study_tmp=study)
    warehouse.product(RUN + 1, complete, study)
    assert daemon.counts(follow)["published"] == 0
    assert daemon.counts(reconcile)["published"] == 4
    assert in_files(messages_dir) == all_of(warehouses)
    assert daemon.counts(reconcile)["published"] == daemon.counts(follow)["published"] == 0


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


def test_a_status_deleted_while_it_waits_is_let_go(warehouse: Warehouse, to_files: MakeDaemon) -> None:
    warehouse.product(RUN, warehouse.sample(None), warehouse.study())
    warehouse.status(RUN)
    daemon = to_files()
    assert daemon.counts(follow)["quarantined"] == 1
    warehouse.mlwh.remove("iseq_run_status", id_run=RUN)
    assert daemon.counts(reconcile)["quarantined"] == 0


def test_a_later_since_lets_go_of_what_waits(warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path) -> None:
    sample = warehouse.sample(None)
    warehouse.product(RUN, sample, warehouse.study())
    warehouse.status(RUN, 1, datetime(2025, 7, 1, 12, 30))
    assert to_files().counts(follow)["quarantined"] == 1
    warehouse.mlwh.change("sample", {"id_sample_tmp": sample}, supplier_name="known now")
    counts = to_files(SEQUENCING_PUBLISHER_SINCE="2025-07-02").counts(reconcile)
    assert (counts["published"], counts["quarantined"]) == (0, 0)
    assert not in_files(messages_dir)


def test_quarantine_is_told_once(warehouse: Warehouse, to_files: MakeDaemon, caplog: pytest.LogCaptureFixture) -> None:
    warehouse.product(RUN, warehouse.sample(None), warehouse.study())
    daemon = to_files()
    for status in range(1, 5):
        warehouse.status(RUN, status)
        daemon.run(follow)
        daemon.run(reconcile)
    told = [record for record in caplog.records if "in quarantine" in record.getMessage()]
    assert len(told) == 1


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


def test_a_made_up_lab_is_published_whole(warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path) -> None:
    fill_recently(warehouses, runs=6, products=16)
    daemon = to_files(SEQUENCING_PUBLISHER_GROUP_SIZE="37")
    made = derived(warehouses)
    assert len(made.messages) > 500 and made.misfits
    counts = daemon.counts(follow)
    assert counts["published"] == len(made.messages)
    assert counts["quarantined"] == len({uuid for uuid, _ in made.misfits})
    assert in_files(messages_dir) == Counter(made.messages.values())
    assert daemon.counts(follow)["statuses"] == 0
    counts = daemon.counts(reconcile)
    assert (counts["published"], counts["already_published"]) == (0, len(made.messages))
