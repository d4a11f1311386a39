"""Taking over: when the clock goes, and when it stands by."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.keeper import Keeper
from janitor.engine.live import Live, Progress
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.errors import Fenced, Rejected, Unavailable
from janitor.runs import Fence, Run
from janitor.state import State, leases, run_records
from janitor.state.tables import SCHEMA_VERSION
from tests.engine.keeping import ELSEWHERE, going_on, lease, until_stopped
from tests.small_engine import eventually, job_of


class Clock:
    """What a clock was told, and whether the takeover was at work then."""

    def __init__(self, runner: Runner, state: State | None = None) -> None:
        self.told: list[tuple[str, bool]] = []
        self.fails = False
        self.takeover = Takeover(state or runner.state, runner.leadership, self.lead, lambda: self.tell("standby"))

    def tell(self, what: str) -> None:
        self.told.append((what, self.takeover.at_work))

    def lead(self) -> None:
        self.tell("leading")
        if self.fails:
            raise Unavailable("away in the middle of it")


def test_the_clock_is_at_work_once_it_was_told(lite_follower: Runner) -> None:
    clock = Clock(lite_follower)
    assert not clock.takeover.at_work
    clock.takeover.step()
    assert clock.told == [("leading", False)] and clock.takeover.at_work
    assert lease(lite_follower, "daemon").holder == lite_follower.holder


def test_a_clock_that_could_not_start_is_told_again(lite_follower: Runner) -> None:
    # Given a clock whose start fails, since the state database goes away in the middle of it.
    # The takeover is not at work, and another daemon may lead. At the next step the clock starts.
    clock = Clock(lite_follower)
    clock.fails = True
    with pytest.raises(Unavailable, match="in the middle"):
        clock.takeover.step()
    assert not clock.takeover.at_work and lease(lite_follower, "daemon").holder is None
    clock.fails = False
    clock.takeover.step()
    assert clock.takeover.at_work and clock.told == [("leading", False)] * 2


def test_while_another_daemon_leads_the_clock_is_told_nothing(lite_follower: Runner) -> None:
    clock = Clock(lite_follower)
    with lite_follower.state.begin() as connection:
        fence = leases.acquire(connection, "daemon", ELSEWHERE, lite_follower.state.now(connection), 60)
    assert fence is not None
    for _ in range(2):
        clock.takeover.step()
    assert clock.told == [] and not clock.takeover.at_work
    with lite_follower.state.begin() as connection:
        leases.release(connection, fence)
    clock.takeover.step()
    assert clock.takeover.at_work


def test_a_lost_lead_stops_the_runs_and_the_clock(lite_follower: Runner) -> None:
    clock, run = Clock(lite_follower), Run(id=1, job="task")
    clock.takeover.step()
    lite_follower.live[1] = Live(run, job_of(print), Fence("job:task", 1), Progress())
    clock.takeover.lose(Fenced("another daemon has taken over"))
    assert not clock.takeover.at_work and clock.told[1:] == [("standby", False)]
    assert isinstance(run.stopped_by, Fenced) and lite_follower.lead.fence is None


def test_the_first_step_makes_the_tables_and_tells(
    lite_follower: Runner, lite_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    empty = State(lite_url.set(database=f"{lite_url.database}.new"))
    clock = Clock(lite_follower, empty)
    clock.takeover.step()
    assert empty.version() == SCHEMA_VERSION
    said = f"there was no state database at {empty.url.database}, so a new one is made, and every job begins anew"
    assert caplog.text.count(said) == 1
    empty.close()


def is_of(state: State, version: str) -> None:
    """Let the schema be another release's."""
    with state.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")


def led_elsewhere(runner: Runner) -> Fence:
    """Let another daemon lead."""
    with runner.state.begin() as connection:
        fence = leases.acquire(connection, "daemon", ELSEWHERE, runner.state.now(connection), 60)
    assert fence is not None
    return fence


def test_no_table_changes_while_an_older_daemon_leads(lite_follower: Runner) -> None:
    # Given: a daemon of the release before leads, on its schema. A daemon of this release starts beside it.
    # What must hold: it says why it stands by, and leaves the schema alone. Once the other daemon has stopped, it
    # migrates and leads, under one lease.
    clock, state = Clock(lite_follower), lite_follower.state
    is_of(state, "0005")
    fence = led_elsewhere(lite_follower)
    for _ in range(2):
        with pytest.raises(
            Unavailable, match="has schema 0005, .* another daemon leads or migrates .process 1 on elsewhere.: this"
        ):
            clock.takeover.step()
        assert state.version() == "0005" and not clock.takeover.at_work
    with state.begin() as connection:
        leases.release(connection, fence)
    clock.takeover.step()
    assert state.version() == SCHEMA_VERSION and clock.takeover.at_work
    assert lease(lite_follower, "daemon").holder == lite_follower.holder


def test_beside_a_newer_schema_a_daemon_stands_by(lite_follower: Runner) -> None:
    # Given: a daemon of a newer release leads, on its schema. A daemon of this release stands by, or starts.
    # What must hold: it says so, stands by, and does not lead on that schema, even if nobody leads any more.
    for stood_by in (True, False):
        keeper = Keeper(lite_follower, Clock(lite_follower).takeover)
        fence = led_elsewhere(lite_follower)
        if stood_by:
            keeper.step()
        is_of(lite_follower.state, "9999")
        keeper.try_step()
        with lite_follower.state.begin() as connection:
            leases.release(connection, fence)
        keeper.try_step()
        assert keeper.failure is None and lease(lite_follower, "daemon").holder is None
        (trouble,) = lite_follower.obstacles.troubles
        assert "has schema 9999, and this release knows schemas up to" in trouble.why
        is_of(lite_follower.state, SCHEMA_VERSION)


def test_nobody_leads_on_a_schema_that_changed_meanwhile(lite_follower: Runner) -> None:
    # Given: a stand-by has looked at the schema. Before it takes the lease, a newer release migrates, and has ended.
    # What must hold: it does not lead, and leaves the lease alone.
    def is_migrated() -> bool:
        is_of(lite_follower.state, "9999")
        return True

    takeover = Takeover(lite_follower.state, lite_follower.leadership, may_lead=is_migrated)
    with pytest.raises(Rejected, match="has schema 9999"):
        takeover.step()
    assert not takeover.at_work and lease(lite_follower, "daemon") is None
    is_of(lite_follower.state, SCHEMA_VERSION)


def test_a_state_database_that_went_away_is_not_made_again(lite_follower: Runner) -> None:
    clock, state = Clock(lite_follower), lite_follower.state
    is_of(state, "0005")
    led_elsewhere(lite_follower)
    with pytest.raises(Unavailable):
        clock.takeover.step()
    Path(str(state.url.database)).unlink()
    with pytest.raises(Unavailable, match="is gone"):
        clock.takeover.step()
    assert not Path(str(state.url.database)).exists()


def test_who_gives_the_lead_up_lets_its_runs_go_on(lite_follower: Runner) -> None:
    # Given: a daemon that leads, with a run. What happens: it gives the lead up, and stands by.
    # What must hold: another daemon can lead at once; the run goes on under its own lease, which is renewed.
    hindered: list[str] = []
    takeover = Takeover(lite_follower.state, lite_follower.leadership, may_lead=lambda: not hindered)
    keeper = Keeper(lite_follower, takeover)
    keeper.step()
    assert takeover.at_work
    with going_on(lite_follower, until_stopped):
        hindered.append("it hangs")
        takeover.give_up()
        assert not takeover.at_work and lease(lite_follower, "daemon").holder is None
        before = lease(lite_follower, "job:task").expires_at
        eventually(lambda: keeper.step() or lease(lite_follower, "job:task").expires_at > before)
        (live,) = lite_follower.live.values()
        assert not live.run.stop.is_set()
        with lite_follower.state.begin() as connection:
            run_records.ask_to_stop(connection, live.run.id, "anna")
        keeper.step()
        assert str(live.run.stopped_by) == "cancelled by anna", "wishes come to it too"
