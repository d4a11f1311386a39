"""A run of an inbox: its messages become items, in batches, and each is committed before it is taken off its queue.

read        JSON, its key, what is secret            a message that cannot be read    a dead letter
check       against the pipeline's schema            one that does not fit            a dead letter
commit      items and dead letters in one transaction
tell        whoever is waiting for items; and, by a reply, who sent what became none
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from janitor.errors import Interrupted, RowRefused, Skip
from janitor.items import waking
from janitor.items.ends import Inbox, Message, Verdict
from janitor.items.handing import Handing
from janitor.items.pipeline import Pipeline
from janitor.items.reading import NoItem, Read, Reading, item_of, read, with_marks, without_secrets
from janitor.items.schemas import Schemas
from janitor.items.sealing import Seal
from janitor.items.writing import in_turn
from janitor.memory.access import state_of
from janitor.runs import Run, current_run
from janitor.runs.bounds import shortened
from janitor.settings.settings import Settings
from janitor.state import State, item_adding, item_letters, item_plans, item_replies
from janitor.state.item_adding import MOST_KEY, Added, NewItem
from janitor.state.item_plans import Plan, lane_of

log = logging.getLogger(__name__)

RUN_SECONDS = 3600.0
"""After so long a run of an inbox ends, and the next goes on."""
REFUSED = "refused"
"""The code of a message that its inbox refuses."""
MOST_KEPT = 200_000
"""So many bytes of a message that cannot be read are kept."""


class InboxTask:
    """The task of an inbox's job."""

    def __init__(self, pipeline: Pipeline, inbox: Inbox, settings: Settings) -> None:
        """Nothing is opened before the first run."""
        self.pipeline, self.inbox, self._settings = pipeline, inbox, settings
        self.__name__ = inbox.name
        self.__module__, self.__qualname__ = type(inbox).__module__, type(inbox).__qualname__
        self.__doc__ = type(inbox).__doc__

    def __call__(self) -> Mapping[str, int] | None:
        """Receive messages in the current run; how many, and what became of them.

        Raises:
            Skip: it is a dry run: what is received is gone from its queue.
        """
        run = current_run()
        if run.dry_run:
            raise Skip("an inbox receives nothing in a dry run; `check` looks at it")
        counting = Taking(self.pipeline, self.inbox, state_of(run), run, Seal(self._settings))
        try:
            self.inbox.receive(self._settings, counting.take)
        except Interrupted:
            # Nothing was under way: a message is taken as a whole, or comes again.
            log.info("asked to stop; what is not taken yet stays where it is")
        return dict(counting.counts)


class Taking:
    """Makes items of the messages of one inbox."""

    def __init__(
        self, pipeline: Pipeline, inbox: Inbox, state: State, run: Run | None = None, seal: Seal | None = None
    ) -> None:
        """`run` has the leases under which everything is written; None for a person's command.

        `seal` seals what the inbox keeps apart as a secret; None leaves it as it is.
        """
        self._seal = seal
        self._pipeline, self._inbox, self._state, self._run = pipeline, inbox, state, run
        self._schemas = Schemas(pipeline.schema, pipeline.task_name)
        self._reading: Reading = getattr(inbox, "reading", Reading())
        self._fences = () if run is None else tuple(run.fences.values())
        self.counts: Counter[str] = Counter()

    def take(self, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Commit items and dead letters, as `ends.Take` says; a row that the database refuses is a dead letter too.

        Raises:
            Fenced, Unavailable, Rejected: nothing is committed.
        """
        now = self._state.clock.now()
        made = [self._made(message, now) for message in messages]
        try:
            self._commit(messages, made, now)
        except RowRefused:
            made = [self._commit_one(message, one, now) for message, one in zip(messages, made, strict=True)]
        reasons = [one.reason if isinstance(one, NoItem) else None for one in made]
        verdicts = [Verdict(message, reason) for message, reason in zip(messages, reasons, strict=True)]
        self.counts["received"] += len(messages)
        self.counts["items"] += sum(one.is_item for one in verdicts)
        self.counts["dead_letters"] += sum(not one.is_item for one in verdicts)
        return verdicts

    def _made(self, message: Message, now: datetime) -> NewItem | NoItem:
        found: Read | None = None
        try:
            found = read(self._reading, message)
            if message.refused:
                raise NoItem(message.refused, REFUSED)
            self._schemas.check(found.whole, found.key)
            return self._sealed(item_of(self._reading, message, found, self._inbox.name, now))
        except NoItem as exc:
            if message.refused:  # whatever else is wrong with it
                exc = NoItem(message.refused, REFUSED, exc.key)
            exc.key = exc.key or (message.key if found is None else found.key)
            exc.envelope = dict(message.envelope) if found is None else dict(found.envelope)
            exc.text = self._text_of(message, found)
            return exc

    def _sealed(self, made: NewItem) -> NewItem:
        if made.secrets is None or self._seal is None:
            return made
        return made._replace(secrets=self._seal.closed(made.secrets))

    def _commit_one(self, message: Message, one: NewItem | NoItem, now: datetime) -> NewItem | NoItem:
        """Commit what one message makes; what it is then."""
        try:
            self._commit([message], [one], now)
            return one
        except RowRefused as exc:
            said = NoItem(f"the state database refuses it: {exc}", key=one.key)
            said.envelope = (one.envelope or {}) if isinstance(one, NewItem) else {}
            said.text = self._text_of(message, None)
            self._commit([message], [said], now)
            return said

    def _commit(self, messages: Sequence[Message], made: Sequence[NewItem | NoItem], now: datetime) -> None:
        news = [one for one in made if isinstance(one, NewItem)]
        with Handing.of_added(self._state, self._pipeline.name, len(news)) as handing:

            def commit(connection: Connection) -> Added:
                # A run of an inbox is long: its pipeline may have another plan meanwhile.
                plan = item_plans.load(connection, self._pipeline.name) or self._pipeline.plan
                added = item_adding.add(connection, plan, news, now, partial(handing.take, connection, plan, now))
                for message, one in zip(messages, made, strict=True):
                    if isinstance(one, NoItem):
                        self._bury(connection, plan, message, one, now)
                return added

            added = in_turn(self._state, self._fences, commit, handing)
            waking.wake(handing.left(added.ready))

    def _bury(self, connection: Connection, plan: Plan, message: Message, why: NoItem, now: datetime) -> None:
        mask = self._run.mask if self._run is not None else str
        name = self._pipeline.name
        key = None if why.key is None else mask(why.key)
        item_letters.add(
            connection, name, self._inbox.name, mask(why.reason), mask(why.text), len(message.body), key, now
        )
        log.warning("a message of %s is a dead letter: %s", lane_of(name, self._inbox.name), why.reason)
        if why.envelope:
            content = {"error": {"code": why.code, "message": why.reason}}
            told = shortened(why.key or "", 4 * MOST_KEY)[:MOST_KEY]
            item_replies.add(connection, plan, [item_replies.Due(None, told, why.envelope, content)], now)

    def _text_of(self, message: Message, found: Read | None) -> str:
        """A message as a dead letter keeps it, without its secrets."""
        if found is not None:
            return json.dumps(with_marks(found), ensure_ascii=False)
        return without_secrets(message.body[:MOST_KEPT].decode("utf-8", "backslashreplace"), self._reading)
