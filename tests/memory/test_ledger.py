"""A task's ledger: by key or by digest alone, entered all or nothing, and forgotten after a while."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from janitor import memory
from janitor.errors import JanitorError
from janitor.runs import Run
from janitor.state import State, ledger
from tests.memory.digests import A, B, C
from tests.state.test_ledger import entered_by_an_earlier_release

ONE, TWO, THREE = b"key one", b"key two", b"key three"


def test_the_ledger_knows_what_was_entered(run: Run) -> None:
    memory.enter("ledger", [A, B])
    memory.enter("another", [C])
    assert memory.published("ledger", [A, B, C]) == {A, B}
    assert memory.published("ledger", []) == set()


def test_a_key_is_known_with_its_last_digest_only(run: Run) -> None:
    # Given: a key that was published with A. What happens: it is published with B, and with A again.
    # What must hold: at each moment the ledger knows the last of them, and no other.
    memory.enter("ledger", {ONE: A, TWO: C})
    for now, before in ((B, A), (A, B), (B, A)):
        assert memory.published("ledger", {ONE: now, TWO: C, THREE: A}) == {TWO}
        memory.enter("ledger", {ONE: now})
        assert memory.published("ledger", {ONE: now}) == {ONE}
        assert memory.published("ledger", {ONE: before}) == set()
        assert memory.last_published("ledger", [ONE, THREE])[ONE].digest == now
    assert memory.last_published("ledger", [THREE]) == {}


def test_the_ledger_takes_all_or_none(run: Run) -> None:
    memory.enter("ledger", {ONE: A})
    without: Any = None
    with pytest.raises(JanitorError):
        memory.enter("ledger", {TWO: B, ONE: B, THREE: without})
    assert memory.published("ledger", {ONE: A, TWO: B}) == {ONE}


def test_what_is_published_is_entered_after_a_short_outage(run: Run, state: State) -> None:
    # Given: a message that the broker has taken. What happens: the state database is away for a moment.
    # What must hold: the message is entered once it is back. Else it would be published again.
    state.stop("away")
    back = threading.Timer(0.2, state.stop, [""])
    back.start()
    memory.enter("ledger", {ONE: A})
    back.join()
    assert memory.published("ledger", {ONE: A}) == {ONE}


def test_entering_the_same_twice_is_harmless(run: Run) -> None:
    for _ in range(2):
        memory.enter("ledger", {ONE: A, TWO: B})
    assert memory.published("ledger", {ONE: A, TWO: B}) == {ONE, TWO}


def test_what_an_earlier_release_published_is_not_news(run: Run, state: State) -> None:
    # Given: digests that a release without keys has entered: A and B of the same key, C as its own key.
    # What happens: the key is asked for with A, and later with B.
    # What must hold: A is no news, and is the key's last from now on; so B is news, although it is old.
    entered_by_an_earlier_release(state, "ledger", [A, B, C])
    assert memory.published("ledger", {ONE: A, TWO: bytes(16)}) == {ONE}
    assert memory.published("ledger", [C]) == {C}
    assert memory.published("ledger", {ONE: B}) == set()
    assert memory.last_published("ledger", [ONE])[ONE].digest == A


def test_a_dry_run_adopts_nothing(run: Run, state: State) -> None:
    entered_by_an_earlier_release(state, "ledger", [A])
    run.dry_run = True
    assert memory.published("ledger", {ONE: A}) == {ONE}
    assert memory.last_published("ledger", [ONE]) == {}


def test_the_ledger_forgets_what_is_old(run: Run, state: State) -> None:
    two_days_ago = run.started_at - timedelta(days=2)
    with state.begin() as connection:
        old = [number.to_bytes(16) for number in range(1_200)]
        ledger.enter(connection, "ledger", {digest: digest for digest in old}, two_days_ago)
    memory.enter("ledger", [A])
    assert memory.forget_published("ledger", timedelta(days=3)) == 0
    assert memory.forget_published("ledger", timedelta(days=1)) == 1_200
    assert memory.forget_published("ledger", timedelta(days=1)) == 0
    assert memory.published("ledger", [A]) == {A}
