"""What people do to items: each act is on one item by its key, or on all that filters choose."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, HTTPException
from pydantic import Field

from janitor.errors import BadSetting
from janitor.operations import items as operations
from janitor.operations import replies
from janitor.operations.items import Chosen
from janitor.state import item_search
from janitor.web import chosen
from janitor.web.api.answers import Changed, errors
from janitor.web.api.item_parameters import (
    DropItems,
    FlagItem,
    Meant,
    PipelineName,
    ResetItems,
    ResolveItem,
    RetryItems,
    RetryReplies,
)
from janitor.web.api.pipelines import known_pipeline, must_have
from janitor.web.desk import Desk
from janitor.web.injected import Operator, TheDesk
from janitor.web.queries import models

router = APIRouter(prefix="/pipelines/{pipeline}", tags=["pipelines"])


class Touched(models.Model):
    """How many items were changed."""

    items: int = Field(description="0 if none had to be.")


class SentAgain(models.Model):
    """How many replies are sent again."""

    replies: int = Field(description="0 if none waits for another try, and none was given up.")


@router.post("/retry", responses=errors(400, 404, 409))
def retry_items(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: RetryItems) -> Touched:
    """Let steps that failed, or wait for another try, be taken now, with all their tries. Idempotent."""
    if wish.at_step is not None:
        must_have(known_pipeline(desk, pipeline), wish.at_step)
    these = _chosen(desk, pipeline, wish, chosen.TO_RETRY)
    steps = None if wish.at_step is None else [wish.at_step]
    return Touched(items=operations.retry(desk.state, these, user.name, desk.now(), steps))


@router.post("/replies/retry", responses=errors(400, 404))
def retry_replies(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: RetryReplies) -> SentAgain:
    """Let replies that were given up, or wait for another try, be sent now. Idempotent."""
    if wish.key is None:
        known_pipeline(desk, pipeline)
    else:
        _item(desk, pipeline, wish.key)
    return SentAgain(replies=replies.send_again(desk.state, pipeline, wish.key, user.name, desk.now()))


@router.post("/reprocess", responses=errors(400, 404, 409))
def reprocess_items(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: Meant) -> Touched:
    """Let all steps be done again; what they have left is deleted. Not idempotent: what began meanwhile begins anew."""
    these = _chosen(desk, pipeline, wish)
    return Touched(items=operations.reprocess(desk.state, these, user.name, desk.now()))


@router.post("/reset", responses=errors(400, 404, 409))
def reset_items(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: ResetItems) -> Touched:
    """Let a step, and all behind it, be done again; what they have left is deleted. Not idempotent, as `reprocess`."""
    must_have(known_pipeline(desk, pipeline), wish.from_step)
    these = _chosen(desk, pipeline, wish)
    return Touched(items=operations.reset(desk.state, these, wish.from_step, user.name, desk.now()))


@router.post("/drop", responses=errors(400, 404, 409))
def drop_items(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: DropItems) -> Touched:
    """Delete items, with all that is kept of them, and with a note that says why.

    The cleanups of their steps are called before; an item whose cleanup fails stays, and that is told with 409.
    """
    these = _chosen(desk, pipeline, wish)
    clean = operations.cleaner(desk.state, desk.jobs, pipeline, desk.settings)
    return Touched(items=operations.drop(desk.state, these, wish.note, user.name, desk.now(), clean))


@router.post("/flag", responses=errors(400, 404))
def flag_item(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: FlagItem) -> Changed:
    """Mark an item for people, with a note. Idempotent; a flag that it had gives way."""
    _item(desk, pipeline, wish.key)
    operations.flag(desk.state, pipeline, wish.key, wish.note, user.name, desk.now())
    return Changed(changed=True)


@router.post("/resolve", responses=errors(400, 404))
def resolve_item(desk: TheDesk, pipeline: PipelineName, user: Operator, wish: ResolveItem) -> Changed:
    """Note what became of an item's flag. Idempotent: the first note stays."""
    _item(desk, pipeline, wish.key)
    done = operations.resolve(desk.state, pipeline, wish.key, wish.note, user.name, desk.now())
    return Changed(changed=done)


def _chosen(desk: Desk, pipeline: str, wish: Meant, with_steps_in: Sequence[str] = ()) -> Chosen:
    """The items that are meant.

    Raises:
        HTTPException: 404, if there is no such pipeline, step or item.
        TooMany: as for `chosen.by_filter`.
    """
    wanted = wish.wanted(pipeline)
    if wanted.step is not None:
        must_have(known_pipeline(desk, pipeline), wanted.step)
    if not wish.is_one:
        known_pipeline(desk, pipeline)
        return chosen.by_filter(desk.state, wanted, wish.most, with_steps_in)
    found = _item(desk, pipeline, wish.key)
    if wanted.is_whole:
        return found
    with desk.state.read() as connection:
        return replace(found, ids=item_search.among(connection, wanted, found.ids))


def _item(desk: Desk, pipeline: str, key: str) -> Chosen:
    known_pipeline(desk, pipeline)
    try:
        return operations.by_key(desk.state, pipeline, key)
    except BadSetting as exc:
        raise HTTPException(404, f"there is no item {key} in {pipeline}") from exc
