"""What changes back is a change: the ledger knows what each change's key was published with last."""

from collections import Counter
from pathlib import Path

from sqlalchemy import text

from janitor.tasks.sequencing_publisher import follow, reconcile
from tests.fixtures import Exchange
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import in_files, records_of
from tests.tasks.sequencing_publisher.warehouse import RUN, Warehouse


def test_a_name_that_returns_is_published(warehouse: Warehouse, to_exchange: MakeDaemon, exchange: Exchange) -> None:
    # Given: a published message of a sample A.
    # What happens: the supplier names it B, then A, then B, then A; reconcile runs after each.
    # What must hold: each change is published, and what did not change is not.
    sample = warehouse.sample("A")
    warehouse.product(RUN, sample, warehouse.study())
    warehouse.status(RUN)
    daemon = to_exchange()
    assert daemon.counts(follow)["published"] == 1
    for name in ("B", "A", "A", "B", "A"):
        warehouse.mlwh.change("sample", {"id_sample_tmp": sample}, supplier_name=name)
        daemon.counts(reconcile)
    names = [record["sample_supplier_id"] for message in exchange.received() for record in records_of(message)]
    assert names == ["A", "B", "A", "B", "A"]
    assert daemon.counts(reconcile)["published"] == daemon.counts(follow)["published"] == 0


def test_the_upgrade_publishes_nothing_again(warehouse: Warehouse, to_exchange: MakeDaemon, exchange: Exchange) -> None:
    # Given: a ledger as releases before schema 0004 kept it, with the digests of all that was published.
    # What happens: this release follows and reconciles; then a name changes, and changes back.
    # What must hold: nothing comes again because of the upgrade, and both changes come.
    samples = [warehouse.sample(f"sample {number}") for number in range(3)]
    study = warehouse.study()
    for sample in samples:
        warehouse.product(RUN, sample, study)
    warehouse.status(RUN)
    daemon = to_exchange()
    assert daemon.counts(follow)["published"] == 3 == len(exchange.received())
    with daemon.state.begin() as connection:
        connection.execute(
            text("INSERT INTO ledger SELECT name, digest, published_at FROM ledger_entries"),
        )
        connection.execute(text("DELETE FROM ledger_entries"))
    for _ in range(2):
        counts = daemon.counts(reconcile)
        assert (counts["published"], counts["already_published"]) == (0, 3)
    for name in ("another", "sample 0"):
        warehouse.mlwh.change("sample", {"id_sample_tmp": samples[0]}, supplier_name=name)
        assert daemon.counts(reconcile)["published"] == 1
    names = [record["sample_supplier_id"] for message in exchange.received() for record in records_of(message)]
    assert names == ["another", "sample 0"]


def test_a_path_that_is_taken_back_is_published(
    warehouse: Warehouse, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    # Given: a product under an iRODS root. What happens: a path is added there, and taken away again.
    # What must hold: each state of the root is published, in order.
    sample, study = warehouse.sample("A"), warehouse.study()
    first, second = (warehouse.product(RUN, sample, study) for _ in range(2))
    warehouse.irods(first, "/root", "a.cram")
    warehouse.irods(second, "/root", None)
    warehouse.status(RUN)
    daemon = to_exchange()
    daemon.counts(follow)
    for path in ("b.cram", None, None):
        warehouse.mlwh.change("seq_product_irods_locations", {"id_product": second}, irods_data_relative_path=path)
        daemon.counts(reconcile)
    paths = [record["irods_data_relative_path"] for message in exchange.received() for record in records_of(message)]
    assert paths == ["a.cram", "a.cram;b.cram", "a.cram"]


def test_a_name_that_returns_is_in_the_files(warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path) -> None:
    # Given: as the first test, but into files. What must hold: each change is a file of its own.
    sample = warehouse.sample("A")
    warehouse.product(RUN, sample, warehouse.study())
    warehouse.status(RUN)
    daemon = to_files()
    daemon.counts(follow)
    for name in ("B", "A", "A", "B", "A"):
        warehouse.mlwh.change("sample", {"id_sample_tmp": sample}, supplier_name=name)
        daemon.counts(reconcile)
    assert Counter(record[3] for record in in_files(messages_dir).elements()) == {"A": 3, "B": 2}


def test_rows_with_one_identity_are_one_change(
    warehouse: Warehouse, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    # Given: two rows of one study, by its id, with different names, and a product of one sample in each.
    # What happens: follow runs, the rows are read in another order, reconcile runs.
    # What must hold: it is one change, and the same each time.
    sample = warehouse.sample("A")
    studies = [warehouse.study("red"), warehouse.study("blue")]
    warehouse.mlwh.execute("UPDATE study SET id_study_lims = 'S'")
    products = [warehouse.product(RUN, sample, study) for study in studies]
    warehouse.status(RUN)
    daemon = to_exchange()
    assert daemon.counts(follow)["published"] == 1
    for number, product in enumerate(reversed(products)):
        warehouse.mlwh.change(
            "iseq_product_metrics", {"id_iseq_product": product}, id_iseq_pr_metrics_tmp=9_000 + number
        )
    assert daemon.counts(reconcile)["published"] == 0
    assert len(exchange.received()) == 1
