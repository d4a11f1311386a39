"""Cleaning up: before an item is deleted, each step that has a `cleanup` may take away what it left behind."""

import json
import logging
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import Row

from janitor.errors import JanitorError, summary
from janitor.guard import foreign_code
from janitor.items.pipeline import Pipeline
from janitor.items.step import Step
from janitor.jobs.descriptions import job_takes_settings
from janitor.jobs.result_texts import decode
from janitor.jobs.returned import call
from janitor.runs import PastItem
from janitor.settings.settings import Settings
from janitor.state import State, item_endings, item_search

log = logging.getLogger(__name__)


def has_cleanup(pipeline: Pipeline) -> bool:
    """Whether any step of a pipeline has a `cleanup`."""
    return any(step.cleanup is not None for step in pipeline.steps)


def clean_up(state: State, pipeline: Pipeline, settings: Settings, item_id: int) -> None:
    """Call the `cleanup` of each step that has begun on an item, the last step first.

    It may be called again for an item: if the process dies, or a later cleanup fails.

    Raises:
        JanitorError: a cleanup failed; the item stays.
        Unavailable, Rejected: the state database is away.
    """
    if not has_cleanup(pipeline):
        return
    with state.read() as connection:
        found = item_search.of_ids(connection, [item_id])
        results = item_endings.results_of(connection, item_id)
        steps = {row.step: row for row in item_search.steps(connection, [item_id]).get(item_id, ())}
    for row in found:
        for step in reversed(pipeline.in_order):
            if step.cleanup is not None and step.name in steps and steps[step.name].claims:
                _call(pipeline, step, settings, row, steps[step.name].status, results.get(step.name))


def _call(pipeline: Pipeline, step: Step, settings: Settings, row: Row[Any], status: str, result: str | None) -> None:
    assert step.cleanup is not None
    past = PastItem(
        pipeline.name,
        step.name,
        row.key,
        status,
        json.loads(row.args),
        None if result is None else decode(result),
    )
    # It may also leave with SystemExit, or be a coroutine.
    with foreign_code(partial(_tell, past), BaseException):
        given = {"settings": settings} if job_takes_settings(step.cleanup) else {}
        call(partial(step.cleanup, past, **given), "no")


def _tell(past: PastItem, error: BaseException) -> NoReturn:
    name = f"{past.pipeline}.{past.step}"
    reason = f"the cleanup of {name} failed for {past.key}, so that the item stays: {summary(error)}"
    log.warning("%s", reason)
    raise JanitorError(reason) from error
