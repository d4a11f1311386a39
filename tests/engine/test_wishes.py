"""Wishes: a run stops if somebody asked for it, and no other run does."""

from sqlalchemy import delete, event

from janitor.engine.live import Live, LiveRuns, Progress
from janitor.engine.runner import Runner
from janitor.engine.wishes import pass_on_wishes
from janitor.errors import Cancelled, Interrupted
from janitor.runs import Fence, Run
from janitor.state import run_records
from janitor.state.tables import runs
from tests.small_engine import job_of, now, remember_run, rows_of


def going_on(runner: Runner, *jobs: str) -> LiveRuns:
    """A run of each job that goes on here, with its record."""
    for job in jobs:
        remember_run(runner.state, job, now(), None)
    return {
        row.id: Live(Run(id=row.id, job=row.job), job_of(print, id=row.job), Fence("x", 1), Progress())
        for row in rows_of(runner.state)
    }


def ask(runner: Runner, run_id: int, actor: str) -> None:
    with runner.state.begin() as connection:
        assert run_records.ask_to_stop(connection, run_id, actor)


def test_only_the_run_that_somebody_cancelled_stops(runner: Runner) -> None:
    live = going_on(runner, "first", "second")
    one, other = live.values()
    ask(runner, one.run.id, "anna")
    pass_on_wishes(runner.state, live)
    assert isinstance(one.run.stopped_by, Cancelled) and str(one.run.stopped_by) == "cancelled by anna"
    assert not other.run.stop.is_set()


def test_only_runs_that_go_on_are_asked_for(lite: Runner) -> None:
    # Given a run that goes on, and is then asked to stop.
    # Wishes are passed on without a run, with the run, and after it was asked.
    # The state database must be asked once, while the run goes on.
    live, sent = going_on(lite, "task"), list[str]()
    with lite.state.read() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    pass_on_wishes(lite.state, LiveRuns())
    assert sent == []
    pass_on_wishes(lite.state, live)
    assert len(sent) == 1
    (one,) = live.values()
    one.run.ask_to_stop(Interrupted("going down"))
    pass_on_wishes(lite.state, live)
    assert len(sent) == 1 and str(one.run.stopped_by) == "going down"


def test_a_run_whose_record_is_gone_goes_on(lite: Runner) -> None:
    live = going_on(lite, "task")
    with lite.state.begin() as connection:
        connection.execute(delete(runs))
    pass_on_wishes(lite.state, live)
    assert not live.popitem()[1].run.stop.is_set()
