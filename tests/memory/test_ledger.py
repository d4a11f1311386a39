"""A task's ledger: entered once, all or nothing, and forgotten after a while."""

from datetime import timedelta

import pytest

from janitor import memory
from janitor.errors import Rejected
from janitor.runs import Run
from janitor.state import State, ledger
from tests.memory.digests import A, B, C


def test_the_ledger_knows_what_was_entered(run: Run) -> None:
    memory.enter("ledger", [A, B])
    memory.enter("another", [C])
    assert memory.published("ledger", [A, B, C]) == {A, B}
    assert memory.published("ledger", []) == set()


def test_the_ledger_takes_all_or_none(run: Run) -> None:
    memory.enter("ledger", [A])
    with pytest.raises(Rejected, match="(?i)unique|duplicate"):
        memory.enter("ledger", [B, A])
    assert memory.published("ledger", [A, B]) == {A}


def test_the_ledger_forgets_what_is_old(run: Run, state: State) -> None:
    two_days_ago = run.started_at - timedelta(days=2)
    with state.begin() as connection:
        ledger.add(connection, "ledger", [number.to_bytes(16) for number in range(1_200)], two_days_ago)
    memory.enter("ledger", [A])
    assert memory.forget_published("ledger", timedelta(days=3)) == 0
    assert memory.forget_published("ledger", timedelta(days=1)) == 1_200
    assert memory.forget_published("ledger", timedelta(days=1)) == 0
    assert memory.published("ledger", [A]) == {A}
