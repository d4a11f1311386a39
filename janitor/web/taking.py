"""Taking the message of a dead letter once more, if that can be."""

from datetime import datetime

from janitor.errors import JanitorError
from janitor.items.ends import Verdict
from janitor.items.pipeline import Pipeline
from janitor.operations import item_messages
from janitor.state import State
from janitor.web.queries import models
from janitor.web.queries.known_pipelines import KnownPipeline


def take_again(state: State, one: KnownPipeline, letter: models.LetterLine, actor: str, now: datetime) -> Verdict:
    """Take the message of a dead letter as its inbox reads it now; the letter is dropped.

    Raises:
        JanitorError: its pipeline or its inbox is gone, or the message is not whole.
    """
    whole = here(one)
    if all(inbox.name != letter.inbox for inbox in whole.inboxes):
        raise JanitorError(f"the inbox {letter.inbox} of {one.name} is gone: nothing reads its messages any more")
    if not letter.is_whole:
        raise JanitorError(f"a part of dead letter {letter.id} was cut, or is secret: let it be sent again")
    return item_messages.again(state, whole, letter.id, actor, now)


def here(one: KnownPipeline) -> Pipeline:
    """A pipeline that this daemon has.

    Raises:
        JanitorError: it is gone.
    """
    if one.whole is None:
        raise JanitorError(f"the pipeline {one.name} is gone: nothing takes its messages any more")
    return one.whole
