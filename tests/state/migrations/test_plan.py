"""What a migration has to do, and how long it takes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, text

from janitor.state import State
from janitor.state.migrations.plan import ROWS_A_SECOND, estimates, pending, roughly
from janitor.state.migrations.versions import VERSIONS
from janitor.state.tables import SCHEMA_VERSION
from tests.small_engine import migrated


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    """A state database of the test's own: its schema may be changed."""
    made = migrated(database_url)
    yield made
    made.close()


def test_the_last_version_is_this_release_s() -> None:
    assert list(VERSIONS) == sorted(VERSIONS) and list(VERSIONS)[-1] == SCHEMA_VERSION
    assert {len(version) for version in VERSIONS} == {4}


def test_the_steps_of_each_version_come_in_order() -> None:
    found = [(one.version, one.number) for one in pending("0003", "0005")]
    assert found == [("0004", 1), ("0004", 2), ("0005", 1)]
    assert {one.version for one in pending(None, SCHEMA_VERSION)} == set(VERSIONS)
    assert pending(SCHEMA_VERSION, SCHEMA_VERSION) == pending("0099", SCHEMA_VERSION) == []


def test_only_what_is_not_done_is_told_with_its_rows(state: State) -> None:
    # Given a migration that was cut off before one index.
    with state.begin() as connection:
        for number in range(300):
            connection.execute(
                text("INSERT INTO actions (at, actor, action) VALUES ('2026-01-01', 'anna', :what)"), {"what": number}
            )
        on_table = "" if state.engine.dialect.name == "sqlite" else " ON actions"
        connection.execute(text(f"DROP INDEX actions_by_age{on_table}"))
    with state.read() as connection:
        (found,) = (
            one for one in estimates(connection, pending("0005", "0006")) if one.pending.step.reads == "actions"
        )
    # A server guesses.
    assert 200 < found.rows < 400
    assert (
        str(found)
        == f"schema 0006, step 4: make the index actions_by_age of actions ({found.rows} rows, under a second)"
    )
    kind = "sqlite" if state.engine.dialect.name == "sqlite" else "mysql"
    assert found.seconds == pytest.approx(0.05 + found.rows / ROWS_A_SECOND[kind])


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "under a second"), (12.4, "about 12 s"), (89, "about 89 s"), (150, "about 2 min")]
)
def test_a_time_is_told_roughly(seconds: float, told: str) -> None:
    assert roughly(seconds) == told
