"""Connections that are used again at once: as good as new ones, and never those of a parent or of another server.

Given: an engine on a SQLite file. What happens: blocks take connections one after the other.
What must hold: within a second the same one serves; not after a failure, not a changed one, not in a forked child.
"""

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.state import State, kept_connections
from janitor.state.kept_connections import MOST, KeptConnections
from tests.forked import code_of_child
from tests.small_engine import lite_state


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(lite_state(tmp_path / "state.db"), read_only=False, limits=Limits(10, 5))
    yield made
    made.dispose()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> KeptConnections:
    monkeypatch.setattr(kept_connections, "YOUNG_SECONDS", 30.0)
    return KeptConnections()


def driver(kept: KeptConnections, engine: Engine) -> object:
    """The driver's connection that a block gets."""
    with kept.taken(engine.connect) as connection:
        return connection.connection.driver_connection


def test_one_that_did_well_serves_again(kept: KeptConnections, engine: Engine) -> None:
    first = driver(kept, engine)
    assert driver(kept, engine) is first and engine.pool.checkedin() == 0  # type: ignore[attr-defined]
    kept.close()
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]


def test_one_that_is_old_goes_back_to_the_pool(
    kept: KeptConnections, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("YOUNG_SECONDS", "LONGEST_SECONDS"):
        driver(kept, engine)
        with monkeypatch.context() as patched:
            patched.setattr(kept_connections, name, 0.0)
            with kept.taken(engine.connect):
                assert engine.pool.checkedout() == 1, name  # type: ignore[attr-defined]


def test_what_went_wrong_is_closed(kept: KeptConnections, engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), kept.taken(engine.connect) as connection:
        1 / 0
    assert connection.closed
    with kept.taken(engine.connect) as connection:
        connection.invalidate()
    assert connection.closed


def test_one_that_was_changed_is_not_kept(kept: KeptConnections, engine: Engine) -> None:
    with kept.taken(engine.connect) as connection:
        connection.execution_options(stream_results=True)
    assert connection.closed


def test_nothing_of_a_block_is_left_open(kept: KeptConnections, engine: Engine) -> None:
    with kept.taken(engine.connect) as connection:
        connection.exec_driver_sql("CREATE TABLE left_open (x INTEGER)")
    assert not connection.in_transaction()
    with kept.taken(engine.connect) as again:
        assert again is connection
        assert again.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'left_open'").all() == []


def test_a_pool_that_was_replaced_gives_new_ones(kept: KeptConnections, engine: Engine) -> None:
    first = driver(kept, engine)
    engine.dispose()
    assert driver(kept, engine) is not first


def test_only_a_few_are_kept(kept: KeptConnections, engine: Engine) -> None:
    barrier = threading.Barrier(MOST + 2)

    def take() -> None:
        with kept.taken(engine.connect):
            barrier.wait(30)

    threads = [threading.Thread(target=take) for _ in range(MOST + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert engine.pool.checkedout() == MOST  # type: ignore[attr-defined]


def test_a_child_uses_none_of_its_parents(kept: KeptConnections, engine: Engine) -> None:
    first = driver(kept, engine)

    def use() -> None:
        assert driver(kept, engine) is not first

    assert code_of_child(use) == 0
    assert driver(kept, engine) is first


def test_a_child_closes_none_of_its_parents(kept: KeptConnections, engine: Engine) -> None:
    with kept.taken(engine.connect) as connection:
        pass

    def close() -> None:
        kept.close()
        gc.collect()
        assert not connection.closed

    assert code_of_child(close) == 0


def test_what_nobody_uses_any_more_holds_no_files(tmp_path: Path) -> None:
    # Given: state databases that were used, and that nobody has closed. What must hold: their files are closed with
    # them, though they have kept connections.
    def use(name: str) -> None:
        state = State(lite_state(tmp_path / name))
        with state.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
        with state.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(3):
        use(f"{number}.db")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before
