"""Pipelines of a jobs file that changes while a real daemon runs."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from janitor.errors import JanitorError
from janitor.state.item_tables import item_results, item_steps, items
from tests.command_line import wait_for
from tests.jobs_file.living import House, daemon
from tests.jobs_file.pipes import PIPE, with_pipes
from tests.small_engine import outcomes, rows_of

FEED = "jobs:\n  - {id: feed, function: 'PIPES:feed', args: [[KEYS]], schedule: every 1s}\n"


def text(keys: str, pipelines: str = PIPE) -> str:
    """A file with pipelines, and a job that adds items of these keys to the pipeline `p`."""
    return with_pipes(FEED.replace("KEYS", keys) + pipelines)


def steps(house: House, key: str) -> dict[str, str]:
    """The status of an item at each of its steps; none before it is there."""
    query = select(item_steps.c.step, item_steps.c.status).join(items, items.c.id == item_steps.c.item_id)
    try:
        with house.state.read() as connection:
            return dict(map(tuple, connection.execute(query.where(items.c.key == key))))
    except (JanitorError, DatabaseError):  # the daemon has not made the tables yet
        return {}


def test_a_changed_pipeline_is_taken_over_whole(tmp_path: Path) -> None:
    # Given: a daemon on a pipeline of one step. What happens: the file changes, and the pipeline has a second step.
    # Then it is gone. What must hold: each item goes through the steps that the file has as it comes; at last no step
    # runs.
    two = PIPE + "      b: {function: PIPES:badly, needs: [a]}\n"
    with daemon(tmp_path, text("k1")) as house:
        wait_for(lambda: steps(house, "k1") == {"a": "processed"})
        house.change(text("k2", two))
        house.says("the pipeline p has the steps ['a', 'b']")
        wait_for(lambda: steps(house, "k2") == {"a": "processed", "b": "failed"})
        house.change("jobs:\n  - {id: x, function: 'FUNCTIONS:skips', schedule: every 1s}\n")
        wait_for(lambda: "skipped" in house.seen("x"))
        before = len(rows_of(house.state, "p.b"))
        wait_for(lambda: len(rows_of(house.state, "x")) > 2)
        assert len(rows_of(house.state, "p.b")) == before


def test_a_pipeline_with_mistakes_changes_nothing_and_says_why(tmp_path: Path) -> None:
    with daemon(tmp_path, text("k1")) as house:
        wait_for(lambda: steps(house, "k1") == {"a": "processed"})
        house.change(text("k1, k2", PIPE.replace("}", ", retries: x, needs: [z]}")))
        house.says("jobs.yaml:6: pipeline p: steps.a.retries: it is 'x': give a whole number, 0 or more")
        house.says("jobs.yaml:6: pipeline p: steps.a.needs: there is no step z; the steps are a")
        house.says("has mistakes: the jobs stay as they were")
        house.change(text("k1, k3"))
        wait_for(lambda: steps(house, "k3") == {"a": "processed"})
        assert steps(house, "k2") == {}


@pytest.mark.slow
def test_a_changed_schema_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{}", encoding="ascii")
    with daemon(tmp_path, text("k1", PIPE + "    schema: request.json\n")) as house:
        wait_for(lambda: steps(house, "k1") == {"a": "processed"})
        (tmp_path / "request.json").write_text('{"type": 7}', encoding="ascii")
        house.says("jobs.yaml:7: pipeline p: schema: it is no JSON Schema: 7 is not valid")


@pytest.mark.slow
def test_a_run_of_a_step_ends_as_it_began(tmp_path: Path) -> None:
    # Given: a step that works on an item. What happens: the pipeline alone changes, and the step has another function;
    # then the item's work comes to its end. What must hold: the item ends as it began, and so does the run. The next
    # run has the new function.
    until = tmp_path / "until"
    slow = PIPE.replace("PIPES:well", "PIPES:until_told")
    with daemon(tmp_path, text("k1", slow), UNTIL=str(until)) as house:
        wait_for(lambda: steps(house, "k1") == {"a": "processing"})
        house.change(text("k1", PIPE.replace("PIPES:well", "PIPES:badly")))
        house.says("was read again: it has 2 jobs")
        assert steps(house, "k1") == {"a": "processing"}
        until.touch()
        wait_for(lambda: steps(house, "k1") == {"a": "processed"})
        with house.state.read() as connection:
            assert connection.execute(select(item_results.c.content)).scalars().all() == ['{"began":true}']
        wait_for(lambda: outcomes(house.state, "p.a") == ["succeeded"])
        house.change(text("k2", PIPE.replace("PIPES:well", "PIPES:badly")))
        wait_for(lambda: steps(house, "k2") == {"a": "failed"})
