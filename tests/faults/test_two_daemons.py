"""Two daemons on one state database: whatever happens to them, each slot has one outcome and at most one effect."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.daemons import daemons
from tests.faults.proxy import Proxy
from tests.faults.two_daemons import (
    EVERY_SECOND,
    LEASE_SECONDS,
    LONG_SECONDS,
    Pair,
    check,
    freeze,
    freeze_until_followed,
    other,
    stretches,
    watch,
)
from tests.small_engine import SECOND, eventually, migrated, rows_of

MODULE = "tests.faults.effects_daemon"
FAULTS_OF_SQLITE = ("kill", "freeze")
FAULTS_OF_A_SERVER = ("kill", "freeze inside", "cut")


@pytest.fixture
def pair(database_url: URL, tmp_path: Path, whole: bool) -> Iterator[Pair]:
    """Give two daemons: the first leads. A trigger notes every save of the scribe's cursor."""
    state = migrated(database_url)
    watch(state.engine)
    with ExitStack() as stack:
        effects = str(tmp_path / "effects")
        start = stack.enter_context(
            daemons(MODULE, tmp_path, JOBS="20" if whole else "10", EFFECTS=effects, LEASE_SECONDS=str(LEASE_SECONDS))
        )
        made = Pair(database_url, state, start, tmp_path)
        if database_url.get_backend_name() != "sqlite":
            host, port = str(database_url.host), int(database_url.port or 3306)
            made.proxies = {name: stack.enter_context(Proxy(host, port)) for name in ("first", "second")}
        made.begin("first").says("leading with", seconds=LONG_SECONDS)
        second = made.begin("second")
        eventually(lambda: "standing by" in second.text or "leading with" in second.text, "second is up", LONG_SECONDS)
        yield made
        state.close()


@pytest.mark.whole_form
def test_a_killed_leader_is_followed(pair: Pair) -> None:
    """Given: two daemons, one of which leads.

    Happens: the leader is killed; then the next leader is killed.
    Must hold: the other daemon leads each time, and each slot has one outcome and at most one effect.
    """
    pair.kill(pair.leading())
    pair.kill(pair.leading())
    pair.goes_on(3)


@pytest.mark.whole_form
def test_a_frozen_leader_is_fenced_out(pair: Pair) -> None:
    """Given: a leader that is frozen between two transactions.

    Happens: the other daemon takes the lead; then the frozen leader goes on.
    Must hold: the former leader writes nothing more, stops its runs and stands by.
    """
    name = pair.leading()
    freeze_until_followed(pair, name, inside=False)
    pair.fenced_out(name)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_leader_frozen_in_a_transaction_is_fenced_out(pair: Pair) -> None:
    """Given: a leader that is frozen inside a transaction, so that it holds locks on the server.

    Happens: the server ends the transaction, the other daemon leads, and the frozen leader goes on.
    Must hold: the former leader writes nothing more, stops its runs and stands by.
    """
    name = pair.leading()
    freeze_until_followed(pair, name, inside=True)
    pair.fenced_out(name)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_a_leader_frozen_in_a_transaction_blocks(pair: Pair) -> None:
    """Given: a leader that is frozen inside a transaction on a SQLite file.

    Happens: its lease runs out; then it is killed.
    Must hold: nobody leads until it is killed, as nobody can end its transaction; then the other daemon leads.
    """
    name = pair.leading()
    led = pair.leaderships
    freeze(pair.living[name], pair.url, inside=True)
    time.sleep(LEASE_SECONDS + 2.0)
    assert pair.leaderships == led
    pair.kill(name)
    pair.goes_on(2)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("how", ["cut", "hangs"])
def test_a_leader_without_its_state_is_followed(pair: Pair, how: str) -> None:
    """Given: a leader that reaches the state database through a proxy.

    Happens: the proxy cuts it off, or hangs, until the other daemon leads.
    Must hold: the former leader stops its runs and stands by.
    """
    name = pair.leading()
    proxy = pair.proxies[name]
    with proxy.away() if how == "cut" else proxy.hanging():
        pair.leads(other(name))
    pair.fenced_out(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_over_many_slots_each_has_one_outcome(pair: Pair, whole: bool, faults_seed: int) -> None:
    """Given: two daemons and ten jobs that are due each second.

    Happens: the leader is killed, frozen and cut off, in a random order, until there were enough slots.
    Must hold: each slot has one outcome, a slot that succeeded acted once, and only leaders wrote.
    """
    chance, wanted = random.Random(faults_seed), 1_050 if whole else 100
    faults: tuple[str, ...] = FAULTS_OF_SQLITE
    if pair.proxies:
        faults = (*FAULTS_OF_A_SERVER, "hang", "freeze") if whole else FAULTS_OF_A_SERVER
    for _ in range(30):
        for fault in chance.sample(faults, len(faults)):
            trouble(pair, fault, pair.leading(), chance)
        if slots_so_far(pair) >= wanted:
            break
    pair.end()
    assert check(pair) >= wanted


def slots_so_far(pair: Pair) -> int:
    """Count the slots on record, without the scribe's."""
    return sum(row.slots for row in rows_of(pair.state) if row.job != "scribe")


def trouble(pair: Pair, fault: str, leader: str, chance: random.Random) -> None:
    """Let one fault happen at a random moment, until the other daemon leads."""
    time.sleep(chance.uniform(0.2, 1.5))
    if fault == "kill":
        pair.kill(leader)
    elif fault.startswith("freeze"):
        freeze_until_followed(pair, leader, inside=fault == "freeze inside")
    else:
        proxy = pair.proxies[leader]
        with proxy.away() if fault == "cut" else proxy.hanging():
            pair.leads(other(leader))


def test_stretches_are_counted() -> None:
    assert stretches(["a", "a", "b", "a"]) == 3 and SECOND == EVERY_SECOND.interval
