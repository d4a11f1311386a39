"""A run of a way of replying: it sends what is due until nothing is left.

    sent              noted, and not sent again; if the process dies before the note, it is sent twice, with one id
    may go later      put off: 1, 2, 4, ... seconds, up to ten minutes, and a notice tells if it takes long
    can never go      given up, with the reason; a person may let it be tried again
    is for nobody     noted like one that was sent, with the reason: who asked gave no address for this way
    nobody listens    if none of a batch can go, the run ends, and the next one tries

A reply is built from the item as it is when it is sent. Nothing is told of an item that goes on again: its reply was
taken back, and its next end is told.
"""

import functools
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from janitor.errors import Interrupted, JanitorError, Rejected, Skip, Unavailable, is_a, summary, text_of
from janitor.guard import foreign_code
from janitor.items.ends import Answer, Reply, Sender, Store
from janitor.items.pipeline import Pipeline
from janitor.jobs.result_texts import decode
from janitor.memory.access import state_of
from janitor.runs import Run, current_run
from janitor.settings.settings import Settings
from janitor.state import item_due, item_endings, item_replies, item_standing
from janitor.state.item_plans import lane_of
from janitor.state.item_states import OPEN

log = logging.getLogger(__name__)

TOGETHER = 100
LONGEST_PAUSE_SECONDS = item_due.LONGEST_WAIT.total_seconds()
RUN_SECONDS = 600.0
LINGER_SECONDS = 10.0
LOOK_SECONDS = 0.2
DROPPED = "the item was deleted before this could be told"


class ReplyTask:
    """The task of the job of a way of replying."""

    def __init__(self, pipeline: Pipeline, reply: Reply, settings: Settings) -> None:
        """Nothing is opened before the first run."""
        self.pipeline, self.reply, self._settings = pipeline, reply, settings
        self.__name__ = reply.name
        self.__module__, self.__qualname__ = type(reply).__module__, type(reply).__qualname__
        self.__doc__ = type(reply).__doc__

    def __call__(self) -> Mapping[str, int]:
        """Send the replies that are due, in the current run; how many, and what became of them.

        Raises:
            Skip: it is a dry run.
            Unavailable, Rejected: the other side takes nothing at all.
        """
        run = current_run()
        if run.dry_run:
            raise Skip("replies are not sent in a dry run")
        return _Replying(self.pipeline, self.reply, self._settings, run).go()


class _Replying:
    def __init__(self, pipeline: Pipeline, reply: Reply, settings: Settings, run: Run) -> None:
        self._pipeline, self._reply, self._settings, self._run = pipeline, reply, settings, run
        self._state = state_of(run)
        self._lane = lane_of(pipeline.name, reply.name)
        self._counts: Counter[str] = Counter(sent=0)
        self._last: JanitorError | None = None

    def go(self) -> Mapping[str, int]:
        """Send until nothing has been due for ten seconds."""
        sender = self._reply.open(self._settings)
        try:
            self._until_quiet(sender)
        finally:
            sender.close()
        return dict(self._counts)

    def _until_quiet(self, sender: Sender) -> None:
        began = quiet_since = time.monotonic()
        linger = 0.0 if self._run.by_hand else LINGER_SECONDS
        # A daemon that shuts down cuts nothing off between two replies.
        while time.monotonic() - began < RUN_SECONDS and type(self._run.stopped_by) is not Interrupted:
            self._run.check()
            rows = self._due()
            if rows:
                sent = sum(self._send(sender, row) for row in rows)
                if not sent and self._last is not None:
                    # Each reply has told where its own error comes from.
                    raise self._last.with_traceback(None) from None
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= linger:
                return
            else:
                self._run.stop.wait(LOOK_SECONDS)

    def _due(self) -> Sequence[Row[Any]]:
        with self._state.read() as connection:
            return item_replies.take(connection, self._lane, self._state.clock.now(), TOGETHER)

    def _send(self, sender: Sender, row: Row[Any]) -> bool:
        """Send one reply, and note what came of it; whether the other side answered at all."""
        self._run.check()
        # A sender may be anybody's, and so may a store.
        with foreign_code(functools.partial(self._failed, row)) as failed:
            answer = self._answer(row)
            if answer is None:
                return False
            sender.send(answer)
        if failed.instead is not None:
            return failed.instead
        self._write(lambda connection, now: item_replies.note_sent(connection, row.pipeline, [row.id], now))
        self._counts["sent"] += 1
        return True

    def _failed(self, row: Row[Any], error: BaseException) -> bool:
        """Put a reply off, or give it up; whether the other side answered."""
        if self._run.stop.is_set():
            raise error
        reason = self._run.mask(text_of(error) if is_a(error, JanitorError) else summary(error))
        if is_a(error, Skip):
            self._write(lambda connection, now: item_replies.note_sent(connection, row.pipeline, [row.id], now, reason))
            self._counts["to_nobody"] += 1
            return True
        if is_a(error, Rejected):
            log.error("a reply of %s on %s is given up: %s", self._lane, row.key, reason)
            self._write(lambda connection, now: item_replies.give_up(connection, row.pipeline, [row.id], now, reason))
            self._counts["given_up"] += 1
            return True
        self._last = error if is_a(error, JanitorError) else Unavailable(reason)
        pause = timedelta(seconds=min(LONGEST_PAUSE_SECONDS, 2.0 ** min(row.tries, 20)))
        self._write(lambda connection, now: item_replies.put_off(connection, row.id, now + pause, reason))
        log.warning("a reply of %s on %s waits %d s: %s", self._lane, row.key, pause.total_seconds(), reason)
        self._counts["put_off"] += 1
        return False

    def _write(self, write: Callable[[Connection, datetime], object]) -> None:
        with self._state.begin(*self._run.fences.values()) as connection:
            write(connection, self._state.clock.now())

    def _answer(self, row: Row[Any]) -> Answer | None:
        """What a reply tells; None if its item goes on again since the reply was read: its next end is told."""
        with self._state.read() as connection:
            answer = answer_of(connection, self._pipeline, row)
        if answer is None:
            return None
        place = None
        if self._pipeline.store is not None and answer.kind != "error":
            place = self._place_of(self._pipeline.store, answer.key)
        return answer if place is None else replace(answer, content=place)

    def _place_of(self, store: Store, key: str) -> Any:
        try:
            return store.find(self._settings, self._pipeline.name, key)
        except Rejected as exc:
            # It is no fault of the reply's that a disk is not mounted, or a token is out of date.
            raise Unavailable(str(exc)) from exc


def answer_of(connection: Connection, pipeline: Pipeline, row: Row[Any]) -> Answer | None:
    """What a reply tells, from the item as it is now; of what is no item, or none any more, from the reply itself.

    It is None if the item has not ended.
    """
    item = None if row.item_id is None else item_standing.of_item(connection, row.item_id)
    if item is not None and item.state == OPEN:
        return None
    content = json.loads(row.content)
    error = content.get("error") or {"code": "dropped", "message": DROPPED}
    facts: dict[str, Any] = {
        "id": f"{row.pipeline}-{row.id}",
        "pipeline": row.pipeline,
        "key": row.key,
        "status": "dead letter" if "error" in content else "dropped",
        "kind": "error",
        "reason": error.get("message"),
        "code": error.get("code"),
        "is_late": False,
        "args": {},
        "results": {},
        "envelope": content.get("envelope") or {},
        "ended_at": row.added_at,
    }
    if item is not None:
        worst = item_standing.worst(item.steps, pipeline.kinds)
        results = {name: decode(text) for name, text in item_endings.results_of(connection, row.item_id).items()}
        facts |= {
            "status": worst.status,
            "kind": worst.kind,
            "reason": worst.reason,
            "code": worst.code,
            "is_late": item.is_late,
            "args": json.loads(item.args),
            "results": results,
            "ended_at": item.ended_at or row.added_at,
        }
    return Answer(**facts)
