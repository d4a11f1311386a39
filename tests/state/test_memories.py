"""Which names the tasks of jobs remember things under, and whose they are."""

import pytest

from janitor.state import State, cursors, ledger, memories, quarantine
from janitor.state.quarantine import Quarantined
from tests.small_engine import job_of, nothing
from tests.state.history import NOW


def test_a_job_has_its_id_what_it_declares_and_what_it_wrote(state: State) -> None:
    with state.begin() as connection:
        for name in ("b", "a", "b"):
            memories.remember(connection, "job", name)
        memories.remember(connection, "other", "c")
        assert memories.names_of(connection, "job", ("feed", "a")) == ["job", "feed", "a", "b"]
        assert memories.names_of(connection, "nobody") == ["nobody"]


def test_each_name_has_one_owner(state: State) -> None:
    # Given three jobs of one task, a job that is called like another's name, and a job that is gone.
    # What must hold: the first job of the task owns its name; who has the id owns the name.
    jobs = {
        "follow": job_of(nothing, id="follow", memories=("task",)),
        "reconcile": job_of(nothing, id="reconcile", memories=("task",)),
        "mine": job_of(nothing, id="mine"),
    }
    with state.begin() as connection:
        for job, name in (("reconcile", "mine"), ("reconcile", "more"), ("gone", "left")):
            memories.remember(connection, job, name)
        owner = memories.owners(connection, jobs)
    assert {name: owner[name] for name in ("task", "mine", "more")} == {
        "task": "follow",
        "mine": "mine",
        "more": "reconcile",
    }
    assert "left" not in owner
    assert memories.by_owner({"task": 2, "follow": 1, "left": 4}, owner) == {"follow": 3, "left": 4}


@pytest.mark.parametrize("kind", ["cursor", "ledger", "quarantine"])
def test_a_name_is_in_use_while_anything_is_kept_under_it(state: State, kind: str) -> None:
    with state.begin() as connection:
        assert not memories.is_in_use(connection, "task")
        match kind:
            case "cursor":
                cursors.save(connection, "task", "seven", NOW, 1)
            case "ledger":
                ledger.enter(connection, "task", {b"k" * 16: b"d" * 16}, NOW)
            case "quarantine":
                quarantine.put(connection, "task", [Quarantined("a", "why")], NOW, 1)
        assert memories.is_in_use(connection, "task")


def test_names_are_handed_over_with_the_job_s_own_if_it_is_used(state: State) -> None:
    with state.begin() as connection:
        for old in ("one", "two"):
            memories.remember(connection, old, "task")
        cursors.save(connection, "two", "seven", NOW, 1)
        memories.hand_over(connection, "one", "new")
        assert memories.names_of(connection, "new") == ["new", "task"]
        memories.hand_over(connection, "two", "new")
        assert memories.names_of(connection, "new") == ["new", "task", "two"]
        assert memories.names_of(connection, "two") == ["two"]
