"""A server fails over to its copy under a daemon and a writer: the daemon finds the copy, and nothing is lost."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.failover import Name, named
from tests.faults.fault import Fault, begin, go_through
from tests.faults.server_faults import READ_ONLY
from tests.servers import SqlServer, second_sql_server


@pytest.fixture
def new_server() -> Iterator[SqlServer]:
    """The server that the name leads to in the end."""
    with second_sql_server() as server:
        yield server


@pytest.fixture
def name(mariadb: SqlServer, new_server: SqlServer) -> Iterator[Name]:
    """The server's name, before a house uses it and until the house is gone."""
    with named(mariadb, new_server) as given:
        yield given


@pytest.mark.whole_form
def test_a_failover_loses_nothing(name: Name, make_house: MakeHouse, mariadb: SqlServer, new_server: SqlServer) -> None:
    """Given: a daemon whose sources, target and state database are on one server, reached by a name.

    Happens: the server becomes read-only; then the name leads to its copy, and the writer goes on there.
    Must hold: runs fail while the server takes no writes; then each job succeeds without a restart. What was written
    to either server is in the target or published. Nothing mends what was read from the old server.
    """
    house = make_house(server=name.server, state=name.server)
    begin(house, mariadb, new_server, follows_alone=True)
    culprits = (f"127.0.0.1:{name.server.admin.port}", "the leases in the state database")
    over = Fault("fails over", lambda: name.failed_over(house), culprits, READ_ONLY, "one group", hides_history=True)
    go_through(house, [over], "server")
