"""The parts of a run: its samples, studies and labwares, and their places in iRODS."""

from pathlib import Path

import pytest

from janitor.tasks.sequencing_publisher import follow, parts, reconcile
from tests.fixtures import Warehouses
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import all_of
from tests.tasks.sequencing_publisher.warehouse import CREATED, RUN, Warehouse


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


def test_the_uuid_of_a_sample_is_read_in_any_case() -> None:
    text = "6F1DD2CB-9BD8-4A2F-A05A-B8F4D1A5E8C2"
    assert parts.as_bytes(text) == parts.as_bytes(text.lower()) == bytes.fromhex(text.replace("-", ""))
    assert parts.as_bytes("sample 7") == b""


def test_more_samples_than_a_statement_asks_for(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CHUNK", 2)
    for number in range(5):
        warehouse.sample(labwares=(f"DN{number}A", f"DN{number}B"))
    uuids = [row["uuid_sample_lims"] for row in warehouse.mlwh.all("sample", "uuid_sample_lims")]
    found = parts.labwares_of(warehouse.events.engine.url, [*uuids, "no uuid", "6f1dd2cb-9bd8-4a2f-a05a-b8f4d1a5e8c2"])
    held = {text: {labware.barcode for labware in labwares} for text, labwares in found.items()}
    assert held == {text: {f"DN{number}A", f"DN{number}B"} for number, text in enumerate(uuids)}
