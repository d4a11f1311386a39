"""Which pipelines there are: those of the jobs, and those of which the state database knows."""

from janitor.items import Step
from janitor.scheduler import Scheduler
from janitor.state import State
from janitor.web.queries.known_pipelines import all_pipelines, known
from tests.state.parcels import PLAN, save
from tests.web.queries.past import ask, clock


def with_pipelines(state: State, *names: str) -> Scheduler:
    """A clock with pipelines of a step."""
    scheduler = clock(state, "job")
    for name in names:
        scheduler.add_pipeline(name, [Step("only", print)])
    return scheduler


def test_those_that_are_here_come_first_and_those_that_are_gone_by_name(state: State) -> None:
    save(state)
    save(state, type(PLAN)("ants", PLAN.steps, PLAN.kinds))
    scheduler = with_pipelines(state, "zebras", "bees")
    found = ask(state, all_pipelines, scheduler.jobs)
    assert [one.name for one in found] == ["zebras", "bees", "ants", "parcels"]
    assert [one.whole is not None for one in found] == [True, True, False, False]


def test_a_pipeline_that_is_here_has_its_own_plan_of_now(state: State) -> None:
    save(state)
    scheduler = with_pipelines(state, "parcels")
    found = ask(state, known, scheduler.jobs, "parcels")
    assert found.whole is not None and [step.name for step in found.plan.steps] == ["only"]
    gone = ask(state, known, {}, "parcels")
    assert gone.whole is None and [step.name for step in gone.plan.steps] == ["fetch", "match", "count"]
    assert ask(state, known, scheduler.jobs, "job") is None
