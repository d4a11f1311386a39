"""An inbox in a test: it receives in a run, by hand until nothing is left or in a thread until it is told to stop."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from sqlalchemy import select

from janitor.errors import Cancelled, Interrupted
from janitor.items.ends import Answer, Inbox, Message, Take, Verdict
from janitor.items.item import Item
from janitor.items.pipeline import Pipeline
from janitor.items.receiving import Taking
from janitor.items.replying import ReplyTask
from janitor.items.step import Step
from janitor.items.work import StepTask
from janitor.runs import Run, running
from janitor.settings import Settings
from janitor.state import State, item_plans
from janitor.state.item_replies import NAMES as REPLY_NAMES
from janitor.state.item_tables import item_letters, item_replies, items

PIPELINE = "work"


def nothing(item: object) -> None:
    """Does nothing."""


class Desk:
    """A pipeline of one step with one inbox, on a state database.

    `compute` is what the step does; `before` and `after` are called around each commit of messages.
    """

    def __init__(self, state: State, settings: Settings, inbox: Any, **more: Any) -> None:
        self.state, self.settings, self.inbox = state, settings, inbox
        replies = [inbox.reply] if hasattr(inbox, "reply") else []
        self.pipeline = Pipeline(PIPELINE, [Step("compute", self._compute)], inboxes=[inbox], replies=replies, **more)
        with state.begin() as connection:
            item_plans.save(connection, self.pipeline.plan)
        self.compute: Callable[[Item], object] = nothing
        self.before: Callable[[Sequence[Message]], object] = nothing
        self.after: Callable[[Sequence[Verdict]], object] = nothing
        self.batches: list[int] = []

    def _compute(self, item: Item) -> object:
        return self.compute(item)

    def receive(self) -> Mapping[str, int] | None:
        """Receive in a run by hand, until nothing is left."""
        return self.receive_in(self.run(by_hand=True))

    def run(self, **more: Any) -> Run:
        """A run of the inbox's job."""
        return Run(id=7, job=item_plans.lane_of(PIPELINE, self.inbox.name), state=self.state, **more)

    def receive_in(self, run: Run) -> Mapping[str, int] | None:
        """Receive in a run, until that says so."""
        taking = Taking(self.pipeline, self.inbox, self.state, run)

        def take(messages: Sequence[Message]) -> Sequence[Verdict]:
            self.before(messages)
            verdicts = taking.take(messages)
            self.batches.append(len(messages))
            self.after(verdicts)
            return verdicts

        inbox: Inbox = self.inbox
        counted: Take = take
        with running(run):
            return inbox.receive(self.settings, counted)

    @property
    def keys(self) -> list[str]:
        """The keys of all items, in the order in which they were added."""
        return [row["key"] for row in self.items]

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items: key, arguments, envelopes, how often their message came."""
        with self.state.read() as connection:
            rows = connection.execute(select(items).order_by(items.c.id)).all()
        return [
            {"key": row.key, "args": json.loads(row.args), "envelopes": json.loads(row.envelope or "[]"), "id": row.id}
            for row in rows
        ]

    @property
    def letters(self) -> list[tuple[str, str]]:
        """The reason and the message of each dead letter."""
        with self.state.read() as connection:
            rows = connection.execute(select(item_letters).order_by(item_letters.c.id)).all()
        return [(row.reason, row.message) for row in rows]

    @property
    def replies(self) -> list[tuple[str, int]]:
        """Each reply: what became of it, and whom it tells of."""
        with self.state.read() as connection:
            rows = connection.execute(select(item_replies).order_by(item_replies.c.id)).all()
        return [(REPLY_NAMES[row.state], int(row.key)) for row in rows]

    def answer(self, envelope: Mapping[str, Any], kind: str = "ok") -> Answer:
        """What is told of an item."""
        return Answer(
            id="a-1",
            pipeline=PIPELINE,
            key="1",
            status="processed",
            kind=kind,
            reason=None,
            code=None,
            is_late=False,
            args={},
            results={},
            envelope=envelope,
            ended_at=self.state.clock.now(),
        )


class Standing:
    """An inbox that receives in a thread, for a block."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.run = desk, desk.run()
        self.counts: Mapping[str, int] | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._receive, name="inbox")

    def _receive(self) -> None:
        try:
            self.counts = self._desk.receive_in(self.run)
        except BaseException as exc:
            self.error = exc

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def goes_on(self) -> bool:
        """Whether it still receives."""
        return self._thread.is_alive()

    def stop(self, reason: Cancelled | None = None) -> None:
        """Ask it to stop, and wait until it has."""
        self.run.ask_to_stop(reason or Interrupted("the process is shutting down"))
        self._thread.join(30)
        assert not self._thread.is_alive(), "the inbox does not stop"


def work(desk: Desk) -> None:
    """Do the step of all items that are due."""
    with running(desk.run(by_hand=True)):
        StepTask(desk.pipeline, desk.pipeline.steps[0])()


def tell(desk: Desk) -> None:
    """Send the replies that are due by the inbox's own way of replying, in a run by hand."""
    with running(desk.run(by_hand=True)):
        ReplyTask(desk.pipeline, desk.inbox.reply, desk.settings)()
