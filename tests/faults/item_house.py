"""A house of items for faults: requests in a queue of RabbitMQ, daemons that work on them, and what came of each.

The books are outside of Janitor: what was asked, what each step did in which daemon (a file), and the answers that lie
in a queue. At the end each request has its end and its answer, nothing is stuck, and a step was done twice for an item
only if the daemon that did it was killed, or frozen, between its effect and the record.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
from sqlalchemy import URL, func, select

from janitor.operations import replies
from janitor.state import State
from janitor.state.item_replies import DUE
from janitor.state.item_states import DONE, FAILED, OPEN
from janitor.state.item_tables import item_attempts, item_letters, item_replies, item_steps, items
from tests.daemons import Daemon, daemons
from tests.faults.item_victim import POISON, STEPS
from tests.servers import Broker
from tests.small_engine import eventually, migrated

LEASE_SECONDS = 2
END_SECONDS = 120.0
NAMES = tuple(step.name for step in STEPS)


@dataclass
class ItemHouse:
    """Requests, daemons and answers."""

    url: URL
    state: State
    broker: Broker
    folder: Path
    starts: Callable[..., Daemon]
    queue: str
    answers: str
    asked: list[str] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)
    """The names of daemons that were killed or frozen: what they did may have been done again."""
    started: list[Daemon] = field(default_factory=list)
    daemon_url: URL | None = None
    """The URL that daemons get of the state database, if it is another than the test's own."""
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The answers that were taken out of their queue before it was deleted."""

    @property
    def effects(self) -> Path:
        """The file in which each step notes what it does."""
        return self.folder / "effects"

    def ask(self, *keys: str) -> None:
        """Put requests into the queue, confirmed; each wants an answer."""
        with self.broker.channel() as channel:
            channel.confirm_delivery()
            for key in keys:
                body = json.dumps({"key": key, "number": len(self.asked)}).encode()
                own = pika.BasicProperties(delivery_mode=2, reply_to=self.answers, correlation_id=key)
                channel.basic_publish("", self.queue, body, own)
                self.asked.append(key)

    def ask_for(self, count: int) -> None:
        """Ask for so many new things."""
        first = len(self.asked)
        self.ask(*(f"k{number:04}" for number in range(first, first + count)))

    def start(self, point: str = "", **more: str) -> Daemon:
        """Start one more daemon; `point` is where it kills itself."""
        name = f"daemon{len(self.started)}"
        if point:
            self.spoiled.add(name)
        environment = {**self.broker.environment(), "QUEUE": self.queue, "STORE": str(self.folder / "store")}
        environment |= {"EFFECTS": str(self.effects), "DAEMON": name, "VICTIM_POINT": point}
        (self.folder / "store").mkdir(exist_ok=True)
        self.started.append(self.starts(self.daemon_url or self.url, name, **(environment | more)))
        return self.started[-1]

    def name_of(self, daemon: Daemon) -> str:
        """The name with which a daemon signs its effects."""
        return f"daemon{self.started.index(daemon)}"

    def count(self, query: Any) -> int:
        """The one number that a query gives."""
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one())

    @property
    def left(self) -> tuple[int, int, int, int]:
        """How many messages wait, how many requests are no items, how many items are open, how many replies wait."""
        known = self.count(select(func.count()).select_from(items))
        is_open = self.count(select(func.count()).select_from(items).where(items.c.state == OPEN))
        due = self.count(select(func.count()).select_from(item_replies).where(item_replies.c.state == DUE))
        return self.broker.waiting(self.queue), len(set(self.asked)) - known, is_open, due

    @property
    def suspects(self) -> int:
        """How many items are still to be done of which a process has died, but for the poison."""
        query = select(func.count()).select_from(items.join(item_steps, item_steps.c.item_id == items.c.id))
        again = (items.c.state == OPEN) & (items.c.key != POISON) & (item_steps.c.deaths > 0)
        return self.count(query.where(again))

    def settle(self, seconds: float = END_SECONDS) -> None:
        """Wait until nothing is left to do."""
        eventually(lambda: self.left == (0, 0, 0, 0), lambda: f"{self.left}\n{self._told()}", seconds)

    def _told(self) -> str:
        return self.started[-1].text[-3000:] if self.started else "no daemon was started"

    def make_queue(self, name: str) -> None:
        """Declare a queue that survives its broker."""
        with self.broker.channel() as channel:
            channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})

    def keep_answers(self) -> None:
        """Take the answers out of their queue: it is to be deleted."""
        self.kept += self.told()

    def send_again(self) -> int:
        """Have replies sent again that were given up; how many."""
        return replies.send_again(self.state, "p", None, "eva", self.state.clock.now())

    def told(self) -> Counter[tuple[str, str]]:
        """Take the answers out of their queue: how often each came, by its request and its own id."""
        found: Counter[tuple[str, str]] = Counter()
        with self.broker.channel() as channel:
            while (got := channel.basic_get(self.answers, auto_ack=True))[0] is not None:
                _, properties, body = got
                status = json.loads(body or b"")["status"]
                wanted = "failed" if properties.correlation_id == POISON else "processed"
                assert status == wanted, f"{properties.correlation_id} was told as {status}: {body!r}"
                found[str(properties.correlation_id), str(properties.message_id)] += 1
        return found

    def check(self, repeats_by_one: bool = False) -> str:
        """Assert what must hold once nothing is left; a line that says how often what was repeated.

        With `repeats_by_one` a daemon may do something again itself: what it had done could not be recorded in time.
        """
        self._check_ends()
        repeats = self._check_effects(repeats_by_one)
        told = self.kept + self.told()
        lost = set(self.asked) - {key for key, _ in told}
        assert not lost, f"{len(lost)} requests were never answered: {sorted(lost)[:5]}"
        again = sum(told.values()) - len(set(self.asked))
        return (
            f"{len(self.asked)} requests, {len(self.started)} daemons: requests without an end 0, items stuck 0, "
            f"replies lost 0, recorded twice 0, done twice {repeats}, told twice {again}"
        )

    def _check_ends(self) -> None:
        with self.state.read() as connection:
            states = {row.key: row.state for row in connection.execute(select(items.c.key, items.c.state))}
            kinds = item_steps.c.step, item_steps.c.status
            of_steps = {
                (step, status): count
                for step, status, count in connection.execute(select(*kinds, func.count()).group_by(*kinds))
            }
            ends = connection.execute(
                select(items.c.key, item_attempts.c.step, func.count())
                .join(items, items.c.id == item_attempts.c.item_id)
                .where(item_attempts.c.status.in_(["processed", "failed"]))
                .group_by(items.c.key, item_attempts.c.step)
            ).all()
            letters = connection.execute(select(item_letters.c.reason)).scalars().all()
        good = set(self.asked) - {POISON}
        wanted = {key: FAILED if key == POISON else DONE for key in set(self.asked)}
        others = {key: (states.get(key), state) for key, state in wanted.items() if states.get(key) != state}
        assert not others and states.keys() == wanted.keys(), f"{others}, and {sorted(states.keys() - wanted.keys())}"
        assert {(step, "processed"): len(good) for step in NAMES[1:]}.items() <= of_steps.items(), of_steps
        assert not any(
            status in ("not processed", "processing") for step, status in of_steps if step != "keep"
        ), of_steps
        twice = [(key, step, count) for key, step, count in ends if count != 1]
        assert not twice, f"an end is on record more than once: {twice[:5]}"
        assert not letters, letters
        results = {path.name for path in (self.folder / "store" / "p").iterdir() if not path.name.startswith(".")}
        assert results == {f"{key}.json" for key in good}

    def _check_effects(self, repeats_by_one: bool) -> int:
        """Assert that a step was done again only for a daemon that was killed or frozen; how often that was."""
        done: dict[tuple[str, str], list[str]] = {}
        for line in self.effects.read_text(encoding="utf-8").splitlines():
            what, step, key, daemon = line.split()
            if what == "begin":
                done.setdefault((step, key), []).append(daemon)
        wanted = {(step, key) for step in NAMES for key in self.asked if key != POISON}
        assert wanted <= set(done), f"never done: {sorted(wanted - set(done))[:5]}"
        for (step, key), by in done.items():
            if key == POISON and step == "compute":
                assert len(by) <= 3 + len(self.spoiled), by
                continue
            if repeats_by_one:
                continue
            assert len(set(by)) == len(by), f"{step} was done twice for {key} by one daemon: {by}"
            assert (
                set(by[:-1]) <= self.spoiled
            ), f"{step} was done again for {key} after {by[:-1]}, and nothing ended it"
        return sum(len(by) - 1 for (_, key), by in done.items() if key != POISON)


@contextmanager
def item_house(url: URL, broker: Broker, folder: Path, **environment: str) -> Iterator[ItemHouse]:
    """A house on an empty state database and a broker; all that it started is gone after the block."""
    names = [f"test_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    state = migrated(url)
    own = {"LEASE_SECONDS": str(LEASE_SECONDS), **environment}
    try:
        with daemons("tests.faults.item_victim", folder, **own) as starts:
            made = ItemHouse(url, state, broker, folder, starts, queue=names[0], answers=names[1])
            for name in names:
                made.make_queue(name)
            yield made
    finally:
        state.close()
        broker.start()
        with broker.channel() as channel:
            for name in names:
                channel.queue_delete(name)
