"""What a task remembers: fenced, harmless to repeat, untouched by dry runs."""

import threading
import time
from collections.abc import Iterator
from contextvars import copy_context
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, update

from janitor import memory
from janitor.errors import Cancelled, DeadlineExceeded, Fenced, JanitorError
from janitor.memory import Quarantine
from janitor.runs import Run, running
from janitor.state import State, leases
from janitor.state.quarantine import Quarantined
from janitor.state.quarantine import listing as quarantine_listing
from janitor.state.tables import leases as lease_rows

A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    state = State(database_url)
    state.migrate()
    yield state
    state.close()


@pytest.fixture
def run(state: State) -> Iterator[Run]:
    with running(begun(state, "first")) as run:
        yield run


def begun(state: State, job: str) -> Run:
    """A run that holds its job's lease."""
    run = Run(id=1, job=job, state=state, holder=leases.new_holder())
    with state.begin() as connection:
        fence = leases.acquire(connection, f"job:{job}", run.holder, state.now(connection), 60)
    assert fence is not None
    run.fences[fence.name] = fence
    return run


def take_over(state: State, name: str) -> None:
    """Another process takes a lease, as after it had expired."""
    with state.begin() as connection:
        connection.execute(
            update(lease_rows).where(lease_rows.c.name == name).values(token=lease_rows.c.token + 1, holder="another")
        )


def test_a_cursor_is_what_was_saved_last(run: Run) -> None:
    assert memory.cursor("feed") is None
    memory.save_cursor("feed", "one")
    memory.save_cursor("feed", "two")
    memory.save_cursor("other", "three")
    assert memory.cursor("feed") == "two"


def test_a_fenced_out_run_writes_nothing(run: Run, state: State) -> None:
    memory.save_cursor("feed", "one")
    take_over(state, "job:first")
    with pytest.raises(Fenced):
        memory.save_cursor("feed", "two")
    with pytest.raises(Fenced):
        memory.enter("ledger", [A])
    with pytest.raises(Fenced):
        Quarantine("q").settle([], [Quarantined("key", "bad")])
    assert memory.cursor("feed") == "one"
    assert memory.published("ledger", [A]) == set()
    assert list(memory.quarantined("q")) == []


def test_the_ledger_knows_what_was_entered(run: Run) -> None:
    memory.enter("ledger", [A, B])
    memory.enter("another", [C])
    assert memory.published("ledger", [A, B, C]) == {A, B}
    assert memory.published("ledger", []) == set()


def test_the_ledger_takes_all_or_none(run: Run) -> None:
    memory.enter("ledger", [A])
    with pytest.raises(Exception, match="(?i)unique|duplicate"):
        memory.enter("ledger", [B, A])
    assert memory.published("ledger", [A, B]) == {A}


def test_the_ledger_forgets_what_is_old(run: Run) -> None:
    memory.enter("ledger", [bytes([number // 256, number % 256]) * 8 for number in range(1_200)])
    time.sleep(0.01)
    assert memory.forget_published("ledger", timedelta(days=1)) == 0
    assert memory.forget_published("ledger", timedelta(0)) == 1_200
    assert memory.forget_published("ledger", timedelta(0)) == 0


def test_a_run_asked_to_stop_still_saves(run: Run) -> None:
    run.ask_to_stop(Cancelled("enough"))
    memory.save_cursor("feed", "one")
    memory.enter("ledger", [A])
    run.stop.clear()
    assert memory.cursor("feed") == "one" and memory.published("ledger", [A]) == {A}


def test_a_dry_run_reads_and_writes_nothing(run: Run) -> None:
    memory.save_cursor("feed", "one")
    run.dry_run = True
    memory.save_cursor("feed", "two")
    memory.enter("ledger", [A])
    assert Quarantine("q").settle([], [Quarantined("key", "bad")]) == []
    assert memory.forget_published("ledger", timedelta(0)) == 0
    assert memory.cursor("feed") == "one" and memory.published("ledger", [A]) == set()
    assert list(memory.quarantined("q")) == []


def test_quarantine_keeps_until_it_is_settled(run: Run, state: State) -> None:
    bad = [
        Quarantined("sample a", "no name", "1"),
        Quarantined("sample a", "no name", "2"),
        Quarantined("b", "too long", "1"),
    ]
    assert [row.key for row in Quarantine("q").settle(["1", "2"], bad)] == ["sample a", "b"]
    assert Quarantine("q").settle(["1", "2"], bad) == []
    assert len(Quarantine("q")) == 2
    with state.begin() as connection:
        assert [(row.key, row.reason, row.items) for row in quarantine_listing(connection, "q")] == [
            ("b", "too long", 1),
            ("sample a", "no name", 2),
        ]
    Quarantine("q").settle(["1"], [])
    assert list(memory.quarantined("q")) == [[("sample a", "2")]]
    Quarantine("q").settle(["2", "3"], [])
    assert len(Quarantine("q")) == 0


def test_quarantine_tells_of_another_reason(run: Run) -> None:
    Quarantine("q").settle(["1"], [Quarantined("a", "no name", "1")])
    again = Quarantine("q").settle(["1"], [Quarantined("a", "too long", "1")])
    assert [row.reason for row in again] == ["too long"]


def test_a_known_key_is_not_told_again(run: Run) -> None:
    Quarantine("q").settle(["1"], [Quarantined("a", "no name", "1")])
    assert Quarantine("q").settle(["2"], [Quarantined("a", "no name", "2")]) == []


def test_quarantine_comes_in_pages(run: Run) -> None:
    Quarantine("q").settle([], [Quarantined(f"key {number:04}", "bad", "x") for number in range(7)])
    assert [len(page) for page in memory.quarantined("q", page_rows=3)] == [3, 3, 1]


def test_what_was_checked_longest_ago_comes_first(run: Run) -> None:
    for key in ("a", "b", "c"):
        Quarantine("q").settle([], [Quarantined(key, "bad", key)])
        time.sleep(0.002)
    Quarantine("q").settle(["a"], [Quarantined("a", "bad", "a")])
    assert memory.checked_longest_ago("q", 2) == [("b", "b"), ("c", "c")]


def test_only_one_run_is_inside(run: Run, state: State) -> None:
    inside, most, other = [0], [0], begun(state, "second")

    def work(one: Run) -> None:
        with running(one):
            for _ in range(3):
                with memory.exclusively("door"):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    time.sleep(0.05)
                    inside[0] -= 1

    threads = [threading.Thread(target=copy_context().run, args=(work, one)) for one in (run, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and "door" not in run.fences


def test_waiting_at_the_door_ends_with_the_run(run: Run, state: State) -> None:
    other = begun(state, "second")
    with running(other):
        other.deadline = time.monotonic() + 0.3
        with running(run), memory.exclusively("door"):
            with running(other), pytest.raises(DeadlineExceeded):
                with memory.exclusively("door"):
                    pytest.fail("two are inside")


def test_a_lost_door_stops_every_write(run: Run, state: State) -> None:
    with memory.exclusively("door"):
        memory.enter("ledger", [A])
        take_over(state, "door")
        with pytest.raises(Fenced):
            memory.enter("ledger", [B])
    assert memory.published("ledger", [A, B]) == {A}


def test_outside_a_run_there_is_no_memory(tmp_path: Path) -> None:
    with pytest.raises(JanitorError, match="python run.py run JOB"):
        memory.cursor("feed")
