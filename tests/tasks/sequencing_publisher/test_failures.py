"""sequencing_publisher when something fails: said in words, nothing half done, nothing lost by the next run."""

import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.tasks.sequencing_publisher import follow, reconcile
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.servers import free_port
from tests.tasks.labware_location.test_failures import SECRET, failed
from tests.tasks.once import killed_after
from tests.tasks.rows import Tables, fill_recently
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import counted, in_files
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.remembered import ledger_size
from tests.tasks.sequencing_publisher.warehouse import RUN, Warehouse, small_run

TABLES = {
    "iseq_run_status": "id_run_status_dict",
    "iseq_product_metrics": "id_run",
    "iseq_flowcell": "id_study_tmp",
    "sample": "supplier_name",
    "study": "id_study_lims",
    "seq_product_irods_locations": "irods_data_relative_path",
}
EVENT_TABLES = {"subjects": "friendly_name", "roles": "role_type_id", "role_types": "key", "events": "event_type_id"}


def test_each_thing_a_server_says_no_to_is_in_words(
    own_databases: Warehouses, state_folder: Path, messages_dir: Path
) -> None:
    warehouses = own_databases
    fill_recently(warehouses, runs=2, products=8)
    settings = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    good = warehouses.environment() | settings
    mlwh, events = warehouses.mlwh_url, warehouses.events_url

    def fails(*words: str, **changes: URL) -> None:
        shown = {name: url.render_as_string(hide_password=False) for name, url in changes.items()}
        daemon = Daemon(good | shown, state_folder)
        failed(daemon.run(follow), *words)
        failed(daemon.run(reconcile), *words)
        assert not in_files(messages_dir) and ledger_size(daemon) == 0
        daemon.close()

    port = free_port()
    fails("cannot be reached", MLWH_DATABASE_URL=mlwh.set(port=port, username="reader", password=SECRET))
    fails("cannot be reached", MLWH_EVENTS_DATABASE_URL=events.set(port=port, username="reader", password=SECRET))
    fails("access denied", MLWH_EVENTS_DATABASE_URL=events.set(username="stranger", password=SECRET))
    for url, tables in ((warehouses.mlwh, TABLES), (warehouses.events, EVENT_TABLES)):
        source = Tables(url)
        for table, column in tables.items():
            source.execute(f"RENAME TABLE `{table}` TO hidden")
            fails("a table is missing", table)
            source.execute(f"RENAME TABLE hidden TO `{table}`")
            source.execute(f"ALTER TABLE `{table}` RENAME COLUMN `{column}` TO hidden")
            fails("a column is missing", column)
            source.execute(f"ALTER TABLE `{table}` RENAME COLUMN hidden TO `{column}`")
    daemon = Daemon(good, state_folder)
    daemon.run(follow)
    assert in_files(messages_dir) == Counter(derived(warehouses).messages.values())
    daemon.close()


def test_a_folder_that_cannot_be_written(
    warehouse: Warehouse, warehouses: Warehouses, to_files: MakeDaemon, tmp_path: Path, messages_dir: Path
) -> None:
    small_run(warehouse)
    warehouse.status(RUN)
    (tmp_path / "file").write_text("in the way")
    daemon = to_files(MESSAGES_DIR=str(tmp_path / "file" / "messages"))
    failed(daemon.run(follow), "cannot write a message file", "MESSAGES_DIR")
    assert ledger_size(daemon) == 0
    daemon = to_files()
    assert daemon.counts(follow)["published"] == 3
    assert in_files(messages_dir) == Counter(derived(warehouses).messages.values())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_the_groups_written(
    sqlite_warehouses: Warehouses, small_disk: Path, state_folder: Path, tmp_path: Path
) -> None:
    fill_recently(sqlite_warehouses, runs=6, products=16)
    settings = {"MESSAGES_DIR": str(small_disk), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(sqlite_warehouses.environment() | settings, state_folder)
    failed(daemon.run(follow), "cannot write a message file", "No space left on device")
    written = in_files(small_disk)
    assert sum(written.values()) == ledger_size(daemon) > 0
    assert not list(small_disk.glob(".*"))
    for path in small_disk.iterdir():
        shutil.move(path, tmp_path)
    daemon.close()
    daemon = Daemon(sqlite_warehouses.environment() | settings | {"MESSAGES_DIR": str(tmp_path)}, state_folder)
    made = derived(sqlite_warehouses).messages
    assert daemon.counts(follow)["published"] == len(made) - sum(written.values())
    assert in_files(tmp_path) == Counter(made.values())
    daemon.close()


@pytest.mark.slow
def test_kill_9_loses_nothing_and_repeats_one_window(
    sqlite_warehouses: Warehouses, exchange: Exchange, state_folder: Path
) -> None:
    # Given many statuses, and follow and reconcile in turn, each in a process of its own.
    # What happens: the process is killed at a random moment, until it died three times.
    # What must hold: the next runs publish the rest; no death repeats more than one window of five.
    kills, most = 3, 15
    fill_recently(sqlite_warehouses, runs=6, products=12)
    settings = {
        **exchange.broker.environment(),
        "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name,
        "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
        "SEQUENCING_PUBLISHER_GROUP_SIZE": "5",
    }
    environment = sqlite_warehouses.environment() | settings
    chance, killed = random.Random(3), 0
    daemon = Daemon(environment, state_folder)
    # On a busy machine it takes longer to come as far as to publish.
    for turn in range(most):
        task = f"sequencing_publisher.{('follow', 'reconcile')[turn % 2]}"
        killed += killed_after(task, state_folder, environment, chance.uniform(0.05, 0.3) * (1 + turn / kills)) is None
        before = ledger_size(daemon)
        if killed >= kills and before:
            break
    daemon.counts(follow)
    daemon.counts(reconcile)
    made = derived(sqlite_warehouses).messages
    total, wanted = counted(exchange.received()), Counter(made.values())
    assert killed and before > 0
    assert set(total) == set(wanted)
    assert sum((total - wanted).values()) <= killed * 5
    assert daemon.counts(follow)["statuses"] == daemon.counts(reconcile)["published"] == 0
    daemon.close()


@pytest.mark.slow
def test_kill_9_leaves_no_file_twice(sqlite_warehouses: Warehouses, state_folder: Path, messages_dir: Path) -> None:
    # Given many statuses, and follow, which publishes into files from a process of its own.
    # What happens: the process is killed at a random moment, twice.
    # What must hold: after the next run each message is in the files exactly once.
    fill_recently(sqlite_warehouses, runs=6, products=12)
    settings = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    environment = sqlite_warehouses.environment() | settings | {"SEQUENCING_PUBLISHER_GROUP_SIZE": "3"}
    chance, killed = random.Random(4), 0
    for _ in range(2):
        seconds = chance.uniform(0.05, 0.25)
        killed += killed_after("sequencing_publisher.follow", state_folder, environment, seconds) is None
    daemon = Daemon(environment, state_folder)
    daemon.counts(follow)
    assert killed
    assert in_files(messages_dir) == Counter(derived(sqlite_warehouses).messages.values())
    daemon.close()
