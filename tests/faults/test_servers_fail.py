"""Servers that die, hang up, refuse or fill up, while a daemon and a writer go on: nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor import memory
from janitor.runs import Outcome
from tests.faults.conftest import MakeHouse
from tests.faults.fault import Fault, address, begin, choose, go_through, prepare
from tests.faults.gone_back import gone_back
from tests.faults.refused_rows import refused_rows
from tests.faults.server_faults import FULL, faults_of_broker, faults_of_sources, faults_of_state, started_on
from tests.faults.small_disk import small_disk
from tests.servers import Broker, SqlServer, running, sql_server
from tests.small_engine import migrated, run_by_hand, runner_for, settings_for


@pytest.fixture(scope="module")
def state_server() -> Iterator[SqlServer]:
    """A second database server, only for the state database."""
    with running(sql_server()) as server:
        yield server


@pytest.mark.slow
@pytest.mark.short_form
def test_a_few_faults_of_servers_lose_nothing(
    make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker, state_server: SqlServer, faults_seed: int
) -> None:
    """Given: a daemon, a writer, and a consumer; sources, state database and broker are servers of their own.

    Happens: some faults of each server, one after another; a source goes backwards, or the target refuses some rows.
    Must hold: after each fault every job succeeds again; in the end nothing is lost and nothing invented.
    """
    house = make_house(state=state_server)
    begin(house, mariadb, state_server, follows_alone=True)
    faults = choose(faults_of_sources(house, mariadb), 2, faults_seed)
    faults += choose([*gone_back(house, mariadb), *refused_rows(house, mariadb)], 1, faults_seed)
    faults += choose(faults_of_state(state_server, house.state_url.database), 1, faults_seed)
    faults += choose(faults_of_broker(house, rabbitmq), 1, faults_seed)
    go_through(house, faults, "servers")


@pytest.mark.whole_form
def test_a_full_disk_under_the_target_loses_nothing(make_house: MakeHouse, mariadb: SqlServer) -> None:
    """Given: the target's table on a disk that is too small for it.

    Happens: the disk fills up during the first run, and grows later.
    Must hold: the failed runs name the server and the full disk; in the end nothing is lost.
    """
    house = make_house(labwares=1_500)
    migrated(house.state_url).close()
    with small_disk(mariadb.disks, "300k") as disk:
        disk.take(mariadb, house.warehouses.mlwh_url, "labware_location")
        prepare(house, mariadb)
        full = Fault("disk full", lambda: started_on(house, disk), (address(mariadb.admin),), FULL)
        go_through(house, [full], "target")


@pytest.mark.whole_form
def test_a_full_disk_under_the_ledger_loses_nothing(
    make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    """Given: the ledger's table on a disk that is too small for it.

    Happens: the disk fills up during the first publication, and grows later.
    Must hold: each failed run published at most one group again; in the end nothing is lost.
    """
    house = make_house(state=state_server)
    house.settings["SEQUENCING_PUBLISHER_GROUP_SIZE"] = "50"
    migrated(house.state_url).close()
    with small_disk(state_server.disks, "130k") as disk:
        disk.take(state_server, house.state_url, "ledger_entries")
        prepare(house, mariadb, state_server)
        full = Fault(
            "disk full", lambda: started_on(house, disk), (address(state_server.admin),), FULL, "a group a failed run"
        )
        go_through(house, [full], "state database")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("follows_alone", [True, False])
def test_faults_of_the_sources_lose_nothing(
    follows_alone: bool, make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    house = make_house(state=state_server)
    begin(house, mariadb, state_server, follows_alone=follows_alone)
    go_through(house, faults_of_sources(house, mariadb), "sources and target")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
def test_faults_of_the_state_database_lose_nothing(
    make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    house = make_house(state=state_server)
    begin(house, mariadb, state_server)
    go_through(house, faults_of_state(state_server, house.state_url.database), "state database")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("follows_alone", [True, False])
def test_faults_of_the_broker_lose_nothing(
    follows_alone: bool, make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker
) -> None:
    house = make_house()
    begin(house, mariadb, follows_alone=follows_alone)
    go_through(house, faults_of_broker(house, rabbitmq), "broker")


@pytest.mark.slow
def test_a_lease_is_free_once_the_state_database_is_back(state_server: SqlServer, tmp_path: Path) -> None:
    """Given: a run that holds a lease when the state database is killed, so that it cannot give the lease back.

    Happens: the state database is back, and a second run wants the lease.
    Must hold: the second run gets it.
    """
    url = state_server.create_database()

    def publish_into_the_fault() -> None:
        with memory.exclusively("publisher"):
            state_server.kill()

    def publish() -> None:
        with memory.exclusively("publisher"):
            pass

    try:
        with runner_for(settings_for(url, tmp_path), leads=False) as runner:
            assert run_by_hand(runner, publish_into_the_fault, id="first")[1].outcome is Outcome.SUCCEEDED
            state_server.start()
            runner.flush()
            assert run_by_hand(runner, publish, id="second", timeout=5.0)[1].outcome is Outcome.SUCCEEDED
    finally:
        state_server.start()
        state_server.drop_database(url.database)
