"""sequencing_publisher: which statuses are published, each once, whatever the order of commits and of runs."""

import shutil
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from janitor.engine.memos import Memos
from janitor.operations import restoring
from janitor.state import cursors
from janitor.state.backup import back_up
from janitor.state.run_records import Ending
from janitor.tasks.sequencing_publisher import follow, publish, reconcile
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.clock import Clock
from tests.tasks.rows import fill_recently
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import counted, in_files
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.remembered import ledger_size, position
from tests.tasks.sequencing_publisher.warehouse import RUN, SAMPLE_KEYS, Warehouse, small_run


@pytest.mark.parametrize("first", [follow, reconcile])
def test_what_was_there_before_is_never_published(
    first: object, warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    small_run(warehouse)
    before = {warehouse.status(RUN, status) for status in range(1, 6)}
    daemon = to_files(SEQUENCING_PUBLISHER_SINCE="")
    for task in (first, follow, reconcile):
        assert callable(task)
        assert daemon.counts(task)["published"] == 0
    new = warehouse.status(RUN, 9)
    warehouse.product(RUN, warehouse.sample(), warehouse.study())
    assert daemon.counts(follow)["published"] == 4
    for _ in range(2):
        assert daemon.counts(reconcile)["published"] == 0
    assert new not in before
    assert in_files(messages_dir) == Counter(derived(warehouses, statuses=[new]).messages.values())


def test_what_is_published_again_after_a_restore_has_the_same_id(
    warehouse: Warehouse,
    to_files: MakeDaemon,
    messages_dir: Path,
    state_folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a backup of the state database. A status is published after it, and the backup is restored.
    # The status is published again, in a file of the same name. The run says that its cursor is that of the backup.
    small_run(warehouse)
    warehouse.status(RUN, 1)
    daemon = to_files()
    assert daemon.counts(follow)["published"] > 0
    back_up(daemon.state, state_folder / "backup.db")
    warehouse.status(RUN, 2)
    published = daemon.counts(follow)["published"]
    before = {path.name for path in messages_dir.iterdir()}
    daemon.close()
    shutil.copy(state_folder / "backup.db", state_folder / "state.db")
    restored = to_files()
    restoring.tell(restored.state, Memos([]), "anna")
    assert restored.counts(follow)["published"] == published > 0
    assert {path.name for path in messages_dir.iterdir()} == before
    assert "the cursor sequencing_publisher is that of a backup" in caplog.text


def test_since_begins_at_the_first_status_of_that_day(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    small_run(warehouse)
    day = (datetime.now(UTC) - timedelta(days=5)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    warehouse.status(RUN, 1, day - timedelta(seconds=1))
    wanted = [warehouse.status(RUN, 2, day)]
    warehouse.status(RUN, 3, day - timedelta(days=1))  # set before, though its id is higher
    wanted.append(warehouse.status(RUN, 4, day + timedelta(hours=30)))
    daemon = to_files(SEQUENCING_PUBLISHER_SINCE=day.date().isoformat())
    assert daemon.counts(follow)["published"] == 6
    assert daemon.counts(reconcile)["published"] == daemon.counts(follow)["published"] == 0
    assert in_files(messages_dir) == Counter(derived(warehouses, statuses=wanted).messages.values())


def test_old_statuses_loaded_last_hide_no_recent_ones(
    warehouse: Warehouse, to_files: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a recent status, and after it 57 old ones: 19 pages of three. Reconcile looks back over 20 such pages.
    monkeypatch.setattr(publish, "BACK_ROWS", 3)
    study, today = warehouse.study(), datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    product = warehouse.product(RUN, warehouse.sample(), study)
    warehouse.status(RUN, 1, today - timedelta(days=1))
    for number in range(57):
        warehouse.status(RUN, 2, today - timedelta(days=30, minutes=number))
    daemon = to_files()
    daemon.counts(follow)
    warehouse.irods(product, "/root", "late.cram")
    assert daemon.counts(reconcile)["published"] == 1


def test_a_status_that_gets_its_date_is_published(
    mariadb_warehouses: Warehouses, state_folder: Path, messages_dir: Path
) -> None:
    warehouse = Warehouse(mariadb_warehouses, datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    small_run(warehouse)
    undated = warehouse.status(RUN, 5)
    change = f"UPDATE iseq_run_status SET date = '{{}}' WHERE id_run_status = {undated}"
    with warehouse.mlwh.transaction():
        warehouse.mlwh.execute("SET SESSION sql_mode = ''")
        warehouse.mlwh.execute(change.format("0000-00-00"))
    settings = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(mariadb_warehouses.environment() | settings, state_folder)
    for task in (follow, reconcile):
        counts = daemon.counts(task)
        assert (counts["published"], counts["quarantined"]) == (0, 1)
    with warehouse.mlwh.transaction():
        warehouse.mlwh.execute(change.format("2020-07-01"))
    counts = daemon.counts(reconcile)
    assert (counts["published"], counts["quarantined"]) == (3, 0)
    daemon.close()


def test_reconcile_looks_back_fourteen_days(
    warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "BACK_ROWS", 3)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    product = warehouse.product(RUN, warehouse.sample(), warehouse.study())
    for status, days in enumerate((15, 14.1, 13.9, 10, 9, 8, 7, 6, 5, 4, 0.1), start=1):
        warehouse.status(RUN, status, now - timedelta(days=days))
    daemon = to_files()
    assert daemon.counts(follow)["published"] == 11
    warehouse.irods(product, "/root", "late.cram")
    assert daemon.counts(reconcile)["published"] == 9
    again = {record[5] for record in in_files(messages_dir) if record[6]}
    assert again == set(range(3, 12))


def test_statuses_that_commit_late_are_not_lost(
    mariadb_warehouses: Warehouses, state_folder: Path, messages_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock().give_to(monkeypatch, publish, "statuses")
    warehouse = Warehouse(mariadb_warehouses, datetime(2026, 1, 1))
    small_run(warehouse)
    settings = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(mariadb_warehouses.environment() | settings, state_folder)
    warehouse.status(RUN, 1, id=1)
    daemon.run(follow)
    slow = Warehouse.__new__(Warehouse)
    slow.__dict__.update(warehouse.__dict__ | {"mlwh": type(warehouse.mlwh)(mariadb_warehouses.mlwh)})
    with slow.mlwh.transaction():
        for id in range(2, 6):
            slow.status(RUN, 2, id=id)
        warehouse.status(RUN, 3, id=6)
        assert daemon.counts(follow)["published"] == 3
        for _ in range(3):
            clock.advance(7 * 3600)
            assert daemon.counts(follow)["published"] == 0
    assert daemon.counts(follow)["published"] == 12
    assert in_files(messages_dir) == Counter(derived(mariadb_warehouses).messages.values())
    clock.advance(24 * 3600 + 1)
    daemon.run(follow)
    clock.advance(24 * 3600 + 1)
    assert daemon.counts(follow)["published"] == 0
    assert position(daemon).mark == 6
    daemon.close()


def test_changed_tmp_ids_publish_nothing_again(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, messages_dir: Path
) -> None:
    small_run(warehouse)
    small_run(warehouse, RUN + 1, 2)
    for product in warehouse.mlwh.all("iseq_product_metrics", "id_iseq_product"):
        warehouse.irods(product["id_iseq_product"], "/root", "a.cram")
    warehouse.status(RUN, 4)
    warehouse.status(RUN + 1, 4)
    daemon = to_files()
    assert daemon.counts(follow)["published"] == 5
    for table, key in (("sample", "id_sample_tmp"), ("study", "id_study_tmp")):
        warehouse.mlwh.execute(f"UPDATE {table} SET {key} = {key} + 5000")
        warehouse.mlwh.execute(f"UPDATE iseq_flowcell SET {key} = {key} + 5000")
    for table in ("iseq_flowcell", "iseq_product_metrics"):
        warehouse.mlwh.execute(f"UPDATE {table} SET id_iseq_flowcell_tmp = id_iseq_flowcell_tmp + 5000")
    warehouse.mlwh.execute("UPDATE iseq_product_metrics SET id_iseq_pr_metrics_tmp = id_iseq_pr_metrics_tmp + 5000")
    warehouse.mlwh.execute(
        "UPDATE seq_product_irods_locations SET id_seq_product_irods_locations_tmp = 9000 - "
        "id_seq_product_irods_locations_tmp"
    )
    counts = daemon.counts(reconcile)
    assert (counts["published"], counts["already_published"]) == (0, 5)
    assert in_files(messages_dir) == Counter(derived(warehouses).messages.values())
    assert warehouse.mlwh.all("sample", *SAMPLE_KEYS)[0]["id_sample_tmp"] > 5000


def test_the_ledger_is_pruned(warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path) -> None:
    small_run(warehouse)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    warehouse.status(RUN, 1, now - timedelta(days=44))
    warehouse.status(RUN, 2, now - timedelta(days=1))
    daemon = to_files()
    assert daemon.counts(follow)["published"] == ledger_size(daemon) == 6
    first = in_files(messages_dir)
    with daemon.state.begin() as connection:
        old, young = (str(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)) for days in (44, 42))
        connection.execute(text("UPDATE ledger_entries SET published_at = :young"), {"young": young})
    assert daemon.counts(reconcile)["published"] == 0
    assert ledger_size(daemon) == 6  # three times the window is not over
    with daemon.state.begin() as connection:
        oldest = connection.execute(text("SELECT `key` FROM ledger_entries ORDER BY `key`")).scalars().all()[2]
        connection.execute(
            text("UPDATE ledger_entries SET published_at = :old WHERE `key` <= :key"), {"old": old, "key": oldest}
        )
    daemon.run(reconcile)
    assert ledger_size(daemon) == 3
    daemon.run(follow)
    assert set(in_files(messages_dir)) == set(first)


def test_a_dry_run_publishes_and_remembers_nothing(
    warehouse: Warehouse, to_files: MakeDaemon, messages_dir: Path
) -> None:
    small_run(warehouse)
    warehouse.product(RUN, warehouse.sample(None), warehouse.study())
    daemon = to_files()
    daemon.run(follow)
    warehouse.status(RUN)
    before = position(daemon)
    for task in (follow, reconcile):
        counts = daemon.counts(task, dry_run=True)
        assert (counts["published"], counts["quarantined"]) == (3, 0)
        assert not in_files(messages_dir) and ledger_size(daemon) == 0 and position(daemon) == before
    assert daemon.counts(follow)["published"] == 3


def test_a_first_dry_run_saves_no_cursor(warehouse: Warehouse, to_files: MakeDaemon) -> None:
    small_run(warehouse)
    warehouse.status(RUN)
    daemon = to_files()
    for task in (follow, reconcile):
        assert daemon.counts(task, dry_run=True)["published"] == 3
        with daemon.state.begin() as connection:
            assert cursors.load(connection, "sequencing_publisher") is None


def test_two_runs_at_once_publish_nothing_twice(
    warehouse: Warehouse, warehouses: Warehouses, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    for run in range(4):
        small_run(warehouse, RUN + run, 5)
        for status in range(1, 6):
            warehouse.status(RUN + run, status)
    daemon = to_exchange(SEQUENCING_PUBLISHER_GROUP_SIZE="3")
    endings: list[Ending] = []
    tasks = {"sequencing_publisher": follow, "sequencing_publisher_reconcile": reconcile, "by hand": reconcile}
    threads = [
        threading.Thread(target=lambda job=job, task=task: endings.append(daemon.run(task, job)))
        for job, task in tasks.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ending.outcome.value for ending in endings] == ["succeeded"] * 3
    assert sum((ending.counts or {})["published"] for ending in endings) == 100
    assert counted(exchange.received()) == Counter(derived(warehouses).messages.values())
    assert ledger_size(daemon) == 100


def test_files_of_a_lost_ledger_come_once(
    warehouse: Warehouse,
    warehouses: Warehouses,
    to_files: MakeDaemon,
    messages_dir: Path,
    migrated_state: Path,
    state_folder: Path,
) -> None:
    small_run(warehouse, samples=10)
    warehouse.status(RUN)
    to_files(SEQUENCING_PUBLISHER_GROUP_SIZE="4").run(follow)
    names = sorted(path.name for path in messages_dir.iterdir())
    assert len(names) == 3
    for path in state_folder.glob("state.db*"):
        path.unlink()
    shutil.copy(migrated_state, state_folder / "state.db")
    to_files(SEQUENCING_PUBLISHER_GROUP_SIZE="4").run(follow)
    assert sorted(path.name for path in messages_dir.iterdir()) == names
    assert in_files(messages_dir) == Counter(derived(warehouses).messages.values())


def test_a_status_deleted_while_it_waits_is_let_go(warehouse: Warehouse, to_files: MakeDaemon) -> None:
    warehouse.product(RUN, warehouse.sample(None), warehouse.study())
    warehouse.status(RUN)
    # Without a later status, MLWH would end below what was read.
    warehouse.status(RUN + 1)
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
