"""Two daemons on hosts whose clocks differ: slots come by the state database's clock, and each has one outcome."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.daemons import daemons
from tests.faults.machine import needs_faketime, set_offset, with_offset
from tests.faults.two_daemons import LEASE_SECONDS, LONG_SECONDS, Pair, check, watch
from tests.small_engine import SECOND, eventually, migrated, rows_of

MODULE = "tests.faults.effects_daemon"
HOSTS = ("first", "second")
MOST_MISSED = 60
"""How many seconds at most may pass in a change of the lead; a clock that is off would lose or repeat 90 at least."""


@pytest.fixture
def pair(request: pytest.FixtureRequest, database_url: URL, tmp_path: Path) -> Iterator[Pair]:
    """Give two daemons on hosts whose clocks are so many seconds ahead; the first leads."""
    state = migrated(database_url)
    watch(state.engine)
    environments = {}
    for name, ahead in zip(HOSTS, request.param, strict=True):
        set_offset(tmp_path / f"{name}.offset", ahead)
        environments[name] = with_offset(tmp_path / f"{name}.offset")
    effects = str(tmp_path / "effects")
    with daemons(MODULE, tmp_path, JOBS="4", EFFECTS=effects, LEASE_SECONDS=str(LEASE_SECONDS)) as start:
        made = Pair(database_url, state, start, tmp_path, environments=environments)
        made.begin("first").says("leading with", seconds=LONG_SECONDS)
        made.begin("second").says("standing by", seconds=LONG_SECONDS)
        yield made
        state.close()


def stays(pair: Pair, name: str) -> None:
    """Wait until a daemon leads and has run some seconds of slots."""
    pair.leads(name)
    before = pair.count(f"|{pair.living[name].pid}|")
    eventually(lambda: pair.count(f"|{pair.living[name].pid}|") > before + 15, f"{name} goes on", LONG_SECONDS)


@needs_faketime
@pytest.mark.whole_form
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("pair", [(0, -90), (0, -300), (-300, 90), (300, 0)], indirect=True, ids=str)
def test_no_slot_runs_twice_or_is_lost(pair: Pair, request: pytest.FixtureRequest) -> None:
    """Given: a leader and a stand-by on hosts whose clocks differ, and jobs that are due each second.

    Happens: the leader is stopped; the next leader is killed; the leader after that is killed too.
    Must hold: each slot has one outcome, none runs twice, none is lost for longer than a change of the lead takes, and
    all come at their true time. Nobody says that a clock was set; a host whose clock is off says so.
    """
    stays(pair, "first")
    pair.replace("first", signal.SIGTERM, 0)
    stays(pair, "second")
    pair.kill("second")
    stays(pair, "first")
    pair.kill("first")
    stays(pair, "second")
    pair.end()
    assert check(pair) > 30
    text = "".join(daemon.text for daemon in (*pair.living.values(), *pair.dead))
    for words in ("set back", "leapt", "still to come"):
        assert words not in text, text[-3000:]
    rows = [row for row in rows_of(pair.state) if row.job == "job1"]
    assert all(row.slot_until_at <= datetime.now(UTC) + SECOND and row.slots < MOST_MISSED for row in rows)
    assert all(abs(row.started_at - row.slot_at) < MOST_MISSED * SECOND for row in rows if row.attempts)
    for name, ahead in zip(HOSTS, request.node.callspec.params["pair"], strict=True):
        of_host = "".join(daemon.text for daemon in (*pair.living.values(), *pair.dead) if name in daemon.output.name)
        assert (f"the clock of this host is {abs(ahead)} s" in of_host) is (ahead != 0), name
