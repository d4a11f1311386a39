"""The network between Janitor and its servers cuts, refuses, hangs and crawls: nothing is lost."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.fault import (
    SLACK_SECONDS,
    STATE_STATEMENT_SECONDS,
    STATEMENT_SECONDS,
    Fault,
    Repeats,
    again_and_again,
    begin,
    choose,
    go_through,
)
from tests.faults.house import House
from tests.faults.proxy import Proxy
from tests.servers import Broker, SqlServer

SLOW_SECONDS = 6.0
BYTES_PER_SECOND = 20_000
DELAY_SECONDS = 0.005
LOST = {"database": ("was lost", "cannot be reached"), "rabbitmq": ("lost the connection to", "cannot connect to")}
REFUSED = {"database": ("cannot be reached",), "rabbitmq": ("cannot connect to",)}
SILENT = {"database": ("did not answer within the time limit",), "rabbitmq": ("no answer",)}
LEADS_TO = {"sources": ("labwhere", "mlwh", "events"), "state": ("state",), "rabbitmq": ("rabbitmq",)}
LONGER = 1.5


@dataclass(frozen=True)
class Way:
    """A way to a server, with a proxy in it."""

    name: str
    proxy: Proxy

    @property
    def culprits(self) -> tuple[str, ...]:
        """What the reason of a failed run names."""
        where = f"127.0.0.1:{self.proxy.port}"
        return (where, "the leases in the state database") if self.name == "state" else (where,)

    def faults(self) -> list[Fault]:
        """List the faults of this way."""
        words = "rabbitmq" if self.name == "rabbitmq" else "database"
        cut_off: Repeats = "a group a failed run" if self.name == "rabbitmq" else "no group"
        silence = (STATE_STATEMENT_SECONDS if self.name == "state" else STATEMENT_SECONDS) + SLACK_SECONDS + LONGER
        hidden = self.name == "state"
        lost_confirms: Repeats = "no group" if self.name == "sources" else "one group"
        renewed = (self.culprits[-1],) if hidden else ()

        def cut() -> AbstractContextManager[None]:
            return again_and_again(self.proxy.cut)

        return [
            self._fault("cut", cut, LOST[words], cut_off, 3 * hidden),
            self._fault(
                "refuses",
                self.proxy.away,
                REFUSED[words],
                lost_confirms if self.name == "rabbitmq" else "no group",
                3 * hidden,
            ),
            self._fault("hangs", self.proxy.hanging, SILENT[words] + renewed, lost_confirms, silence, slow=True),
            self._fault("crawls", self.crawling, (), "no group", SLOW_SECONDS),
        ]

    def _fault(
        self,
        what: str,
        happens: Callable[[], AbstractContextManager[None]],
        words: tuple[str, ...],
        repeats: Repeats,
        seconds: float,
        slow: bool = False,
    ) -> Fault:
        hides = self.name == "state"
        name = f"the network to {self.name} {what}"
        return Fault(name, happens, self.culprits, words, repeats, seconds, hides, slow)

    @contextmanager
    def crawling(self) -> Iterator[None]:
        """Let the way be slow during a block; some data must go that way meanwhile."""
        before = self.proxy.forwarded_bytes
        self.proxy.slow(DELAY_SECONDS, BYTES_PER_SECOND)
        try:
            yield
        finally:
            self.proxy.slow(0)
        assert self.proxy.forwarded_bytes > before, f"nothing went to {self.name}"


@pytest.fixture
def ways(make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker) -> Iterator[tuple[House, list[Way]]]:
    """Give a house whose daemons reach each server through a proxy, and the ways."""
    house = make_house(state=mariadb)
    with ExitStack() as stack:
        found = []
        for name, leading in LEADS_TO.items():
            host, port = (
                (rabbitmq.host, rabbitmq.port)
                if name == "rabbitmq"
                else (str(mariadb.admin.host), int(mariadb.admin.port or 3306))
            )
            found.append(Way(name, stack.enter_context(Proxy(host, port))))
            for server in leading:
                house.reach(server, found[-1].proxy.port)
        yield house, found
        house.close()


@pytest.mark.slow
@pytest.mark.short_form
def test_a_few_faults_of_the_network_lose_nothing(
    ways: tuple[House, list[Way]], mariadb: SqlServer, faults_seed: int
) -> None:
    """Given: a daemon that reaches each server through a proxy, a writer, and a consumer.

    Happens: two ways each have a fault, one after another.
    Must hold: after each fault every job succeeds again; in the end nothing is lost and nothing invented.
    """
    house, found = ways
    begin(house, mariadb)
    ways_taken = random.Random(faults_seed).sample(found, 2)
    go_through(house, [fault for way in ways_taken for fault in choose(way.faults(), 1, faults_seed)], "network")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LEADS_TO)
@pytest.mark.parametrize("follows_alone", [True, False])
def test_faults_of_the_network_lose_nothing(
    name: str, follows_alone: bool, ways: tuple[House, list[Way]], mariadb: SqlServer
) -> None:
    house, found = ways
    begin(house, mariadb, follows_alone=follows_alone)
    [way] = [each for each in found if each.name == name]
    go_through(house, way.faults(), "network")
