"""What people send into pipelines: items by hand, messages as an inbox reads them, and dead letters once more."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from janitor.errors import BadSetting, Rejected
from janitor.items import waking
from janitor.items.adding import plan_of
from janitor.items.ends import Inbox, Message, Verdict
from janitor.items.pipeline import Pipeline
from janitor.items.reading import NoItem, Reading, item_of, read
from janitor.items.receiving import Taking
from janitor.items.schemas import Schemas
from janitor.items.sealing import Seal
from janitor.runs.bounds import listed
from janitor.settings.settings import Settings
from janitor.state import State, actions, item_adding, item_letters
from janitor.state.item_adding import TOGETHER, NewItem

BY_HAND = "by hand"
"""The origin of items that a person has pushed."""


@dataclass
class Pushed:
    """What became of messages that a person has sent: how many are new items, and had a key that was there already.

    `refused` has the number of each message that became none, from 1 on, and the reason.
    """

    new: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def push(
    state: State, pipeline: str, bodies: Iterable[bytes], actor: str, now: datetime, whole: Pipeline | None = None
) -> Pushed:
    """Add items to a pipeline, each an object in JSON with its key under `key`; all of it is the item's arguments.

    `whole` is the pipeline with its schema, if this process has it. What cannot be an item is refused, and all others
    are added.

    Raises:
        BadSetting: there is no such pipeline.
    """
    schemas, reading = Schemas(whole and whole.schema, whole.task_name if whole else ""), Reading()
    pushed, left, at = Pushed(), iter(bodies), 0
    while batch := list(islice(left, TOGETHER)):
        news = list[NewItem]()
        for at, body in enumerate(batch, at + 1):
            try:
                message = Message(body)
                found = read(reading, message)
                schemas.check(found.whole, found.key)
                news.append(item_of(reading, message, found, BY_HAND, now))
            except NoItem as exc:
                pushed.refused.append((at, exc.reason))
        with state.begin() as connection:
            added = item_adding.add(connection, plan_of(connection, pipeline), news, now)
            if news and not pushed.new + pushed.known:
                actions.record(connection, actor, "pushed", pipeline, _told(news, batch), now)
        waking.wake(added.ready)
        pushed.new, pushed.known = pushed.new + added.new, pushed.known + added.known
    return pushed


def _told(news: Sequence[NewItem], batch: Sequence[bytes]) -> str:
    more = " and more" if len(batch) == TOGETHER else ""
    return news[0].key if len(news) == 1 else f"{len(news):,} items{more}, the first is {news[0].key}"


def push_into(
    state: State,
    pipeline: Pipeline,
    inbox: str,
    bodies: Iterable[bytes],
    actor: str,
    now: datetime,
    settings: Settings,
) -> Pushed:
    """Take messages as an inbox does: what cannot be an item is a dead letter. `settings` have the key for secrets.

    Raises:
        BadSetting: the pipeline has no such inbox.
    """
    taking = Taking(pipeline, inbox_of(pipeline, inbox), state, seal=Seal(settings))
    pushed, left, at = Pushed(), iter(bodies), 0
    while batch := list(islice(left, TOGETHER)):
        for at, verdict in enumerate(taking.take([Message(body) for body in batch]), at + 1):
            pushed.new += verdict.is_item
            if verdict.reason is not None:
                pushed.refused.append((at, verdict.reason))
        if at <= TOGETHER:
            more = " and more" if len(batch) == TOGETHER else ""
            _note(state, actor, "pushed", pipeline.name, f"{len(batch):,} messages{more} into {inbox}", now)
    return pushed


def again(state: State, pipeline: Pipeline, letter_id: int, actor: str, now: datetime) -> Verdict:
    """Take the message of a dead letter once more, as its inbox reads it now; the letter itself is dropped.

    If the message still is no item, it is a dead letter anew, with today's reason. Whom to answer is not known any
    more, so nobody is told.

    Raises:
        BadSetting: the pipeline has no such letter, or its inbox is gone.
        Rejected: the message is not whole.
    """
    with state.read() as connection:
        letter = item_letters.one(connection, letter_id)
    if letter is None or letter.pipeline != pipeline.name or letter.dropped_at is not None:
        raise BadSetting("--again", letter_id, f"{pipeline.name} has no such dead letter; `letters` lists all")
    if not item_letters.is_whole(letter):
        raise Rejected(
            f"of the dead letter {letter_id} a part was cut, or is secret: let whoever sent the message send it again"
        )
    taking = Taking(pipeline, inbox_of(pipeline, letter.inbox), state)
    [verdict] = taking.take([Message(letter.message.encode("utf-8"))])
    with state.begin() as connection:
        item_letters.drop(connection, [letter_id], actor, now)
        detail = f"dead letter {letter_id}" if verdict.is_item else f"dead letter {letter_id}: it is one again"
        actions.record(connection, actor, "pushed", pipeline.name, detail, now)
    return verdict


def drop_letters(state: State, ids: Sequence[int], actor: str, now: datetime) -> int:
    """Let dead letters count no more; how many counted until now.

    Raises:
        BadSetting: there is no such letter; none is dropped.
    """
    with state.begin() as connection:
        found = {letter_id: item_letters.one(connection, letter_id) for letter_id in ids}
        for letter_id, letter in found.items():
            if letter is None:
                raise BadSetting("--drop", letter_id, "there is no such dead letter; `letters` lists all")
        done = item_letters.drop(connection, ids, actor, now)
        letters = [letter for letter in found.values() if letter is not None and letter.dropped_at is None]
        for pipeline, number in Counter(letter.pipeline for letter in letters).items():
            named = listed([str(letter.id) for letter in letters if letter.pipeline == pipeline], 20)
            said = f"dead letter{'s' if number > 1 else ''} {named}"
            actions.record(connection, actor, "dropped", pipeline, said, now)
    return done


def inbox_of(pipeline: Pipeline, name: str) -> Inbox:
    """The inbox of a name.

    Raises:
        BadSetting: there is none; the error tells all.
    """
    for inbox in pipeline.inboxes:
        if inbox.name == name:
            return inbox
    names = listed([inbox.name for inbox in pipeline.inboxes], 20) or "none"
    raise BadSetting("--inbox", name, f"{pipeline.name} has no such inbox; its inboxes are {names}")


def _note(state: State, actor: str, action: str, pipeline: str, detail: str, now: datetime) -> None:
    with state.begin() as connection:
        actions.record(connection, actor, action, pipeline, detail, now)
