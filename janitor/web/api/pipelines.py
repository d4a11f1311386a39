"""Pipelines, their items, and their dead letters."""

import json
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Query
from pydantic import Field

from janitor.operations import item_messages
from janitor.runs.bounds import listed_near
from janitor.web.api.answers import errors, found, reading
from janitor.web.api.item_parameters import (
    MOST_BODY,
    After,
    DropLetters,
    HistoryQuery,
    ItemsQuery,
    Key,
    LetterId,
    NewItems,
    PipelineName,
)
from janitor.web.api.parameters import Limit
from janitor.web.desk import Desk
from janitor.web.injected import Operator, TheDesk
from janitor.web.queries import given, models
from janitor.web.queries.items import item_list, item_page
from janitor.web.queries.known_pipelines import KnownPipeline, all_pipelines, known
from janitor.web.queries.letters import letter_list, letter_of, letters_of
from janitor.web.queries.pipeline_history import pipeline_history
from janitor.web.queries.pipelines import pipeline_lines, pipeline_page
from janitor.web.taking import here, take_again

DAY = timedelta(days=1)

router = APIRouter(prefix="/pipelines", tags=["pipelines"])


class Refused(models.Model):
    """An item that could not be taken."""

    number: int = Field(description="Which of those that were sent: 1 for the first.")
    reason: str


class Pushed(models.Model):
    """What became of items that were sent."""

    new: int = Field(description="How many are items now; with an inbox, how many were taken.")
    known: int = Field(description="How many had keys that were there already.")
    refused: list[Refused] = Field(description="Those that are no items.")


class TakenAgain(models.Model):
    """What became of a dead letter's message."""

    is_item: bool
    reason: str | None = Field(description="Why it is a dead letter once more.")


class Dropped(models.Model):
    """How many dead letters count no more."""

    letters: int


@router.get("", responses=errors())
def get_pipelines(desk: TheDesk) -> models.PipelineList:
    """List the pipelines: how many items are where, how fast they go, and what waits."""
    with reading(desk) as (connection, at):
        return models.PipelineList(now=at, pipelines=pipeline_lines(connection, desk.jobs, at))


@router.get("/{pipeline}", responses=errors(404))
def get_pipeline(desk: TheDesk, pipeline: PipelineName) -> models.PipelinePage:
    """Tell all that is known of a pipeline, there or gone, but its items."""
    one = known_pipeline(desk, pipeline)
    with reading(desk) as (connection, at):
        return pipeline_page(connection, desk.jobs, one, at)


@router.get("/{pipeline}/history", responses=errors(404))
def get_pipeline_history(
    desk: TheDesk, pipeline: PipelineName, asked: Annotated[HistoryQuery, Query()]
) -> models.PipelineHistory:
    """Tell how many items were where over time: a moment for each part of the time, the oldest first."""
    one = known_pipeline(desk, pipeline)
    with reading(desk) as (connection, at):
        until = asked.until or at
        since = asked.since or until - DAY
        if since >= until:
            return models.PipelineHistory(moments=[])
        return pipeline_history(connection, one.plan, since, until, asked.limit)


@router.get("/{pipeline}/items", responses=errors(404))
def get_items(desk: TheDesk, pipeline: PipelineName, asked: Annotated[ItemsQuery, Query()]) -> models.ItemList:
    """List the items of a pipeline that fit, the newest first."""
    one = known_pipeline(desk, pipeline)
    if asked.step is not None:
        must_have(one, asked.step)
    with reading(desk) as (connection, _):
        return item_list(connection, one.plan, asked.wanted(pipeline), asked.limit, asked.after)


@router.get("/{pipeline}/items/{key:path}", responses=errors(404))
def get_item(desk: TheDesk, pipeline: PipelineName, key: Key) -> models.ItemPage:
    """Tell all that is known of an item: its steps, attempts, arguments, results, replies and flag."""
    one, mask = known_pipeline(desk, pipeline), desk.runner.mask
    show = partial(given.whole, mask=mask)
    with reading(desk) as (connection, _):
        page = item_page(connection, one.plan, key, show, lambda text: mask.value(json.loads(text)))
        return found(page, f"item {key} in {pipeline}")


@router.post("/{pipeline}/items", responses=errors(400, 404, 409, 413), max_body_size=MOST_BODY)
def add_items(
    desk: TheDesk,
    pipeline: PipelineName,
    user: Operator,
    items: Annotated[NewItems, Body()],
    inbox: Annotated[str | None, Query(max_length=64, description="Take them as messages of this inbox.")] = None,
) -> Pushed:
    """Add an item, or up to 1,000. A key that is there already is the same item: the pipeline says what becomes of it.

    What cannot be an item is told, and all others are added. With `inbox` each object is read as that inbox reads its
    messages: secrets are kept apart, and what cannot be an item is a dead letter.
    """
    one, bodies = known_pipeline(desk, pipeline), [json.dumps(item).encode() for item in items]
    if inbox is None:
        pushed = item_messages.push(desk.state, pipeline, bodies, user.name, desk.now(), one.whole)
    else:
        whole = here(one)
        found(next((end for end in whole.inboxes if end.name == inbox), None), f"inbox {inbox} in {pipeline}")
        pushed = item_messages.push_into(desk.state, whole, inbox, bodies, user.name, desk.now(), desk.settings)
    refused = [Refused(number=number, reason=desk.runner.mask(reason)) for number, reason in pushed.refused]
    return Pushed(new=pushed.new, known=pushed.known, refused=refused)


@router.get("/{pipeline}/letters", responses=errors(404))
def get_letters(desk: TheDesk, pipeline: PipelineName, after: After = None, limit: Limit = 50) -> models.LetterList:
    """List the dead letters of a pipeline that nobody has dropped, the newest first."""
    known_pipeline(desk, pipeline)
    with reading(desk) as (connection, _):
        return letter_list(connection, pipeline, limit, after)


@router.post("/{pipeline}/letters/drop", responses=errors(400, 404))
def drop_letters(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: DropLetters) -> Dropped:
    """Let dead letters count no more; those of other pipelines are left alone. Idempotent."""
    known_pipeline(desk, pipeline)
    with reading(desk) as (connection, at):
        ids = letters_of(connection, pipeline, wish.letters)
    return Dropped(letters=item_messages.drop_letters(desk.state, ids, user.name, at))


@router.post("/{pipeline}/letters/{letter}/again", responses=errors(404, 409))
def take_letter_again(desk: TheDesk, pipeline: PipelineName, letter: LetterId, user: Operator) -> TakenAgain:
    """Take the message of a dead letter once more, and drop the letter.

    If a part of it was cut or is secret, or its inbox is gone: 409.
    """
    one = known_pipeline(desk, pipeline)
    with reading(desk) as (connection, at):
        row = found(letter_of(connection, pipeline, letter), f"dead letter {letter} in {pipeline}")
    verdict = take_again(desk.state, one, row, user.name, at)
    reason = None if verdict.reason is None else desk.runner.mask(verdict.reason)
    return TakenAgain(is_item=verdict.is_item, reason=reason)


def must_have(pipeline: KnownPipeline, step: str) -> None:
    """Refuse a step that a pipeline does not have.

    Raises:
        HTTPException: 404, if it has none of this name.
    """
    names = [one.name for one in pipeline.plan.steps]
    if step not in names:
        told = f"there is no step {step} in {pipeline.plan.pipeline}; its steps are {listed_near(step, names)}"
        raise HTTPException(404, told)


def known_pipeline(desk: Desk, name: str) -> KnownPipeline:
    """A pipeline that is there, or of which items are kept.

    Raises:
        HTTPException: 404, if there is no such pipeline.
    """
    with desk.state.read() as connection:
        one = known(connection, desk.jobs, name)
        if one is None:
            names = [other.name for other in all_pipelines(connection, desk.jobs)]
            told = f"the pipelines are {listed_near(name, names)}" if names else "there are none"
            raise HTTPException(404, f"there is no pipeline {name}; {told}")
    return one
