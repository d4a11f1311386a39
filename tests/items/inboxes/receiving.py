"""An inbox in a test: it receives in a run, by hand until nothing is left or in a thread until it is told to stop."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from sqlalchemy import select

from janitor.errors import Cancelled, Interrupted
from janitor.items.ends import Inbox, Message, Take, Verdict
from janitor.items.pipeline import Pipeline
from janitor.items.receiving import Taking
from janitor.items.step import Step
from janitor.runs import Run, running
from janitor.settings import Settings
from janitor.state import State, item_plans
from janitor.state.item_tables import item_letters, items

PIPELINE = "work"


def nothing(item: object) -> None:
    """A step that does nothing."""


class Desk:
    """A pipeline of one step with one inbox, on a state database; `between` is called around each commit."""

    def __init__(self, state: State, settings: Settings, inbox: Any, **more: Any) -> None:
        self.state, self.settings, self.inbox = state, settings, inbox
        replies = [inbox.reply] if hasattr(inbox, "reply") else []
        self.pipeline = Pipeline(PIPELINE, [Step("compute", nothing)], inboxes=[inbox], replies=replies, **more)
        with state.begin() as connection:
            item_plans.save(connection, self.pipeline.plan)
        self.before: Callable[[Sequence[Message]], object] = nothing
        self.after: Callable[[Sequence[Verdict]], object] = nothing
        self.batches: list[int] = []

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
