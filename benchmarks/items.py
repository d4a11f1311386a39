"""Items: how many a second, how soon, and what a million of them cost; beside queues that a person may pick instead."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import items_at_size, items_queues, processes, rival_queues
from benchmarks.clockwork import empty_folder
from benchmarks.house import House
from benchmarks.measures import Line, Rival
from benchmarks.rival_queues import CELERY, CELERY_TAKING, HUEY, PROCRASTINATE, WHAT, Queues
from benchmarks.servers import Servers

KINDS = ("SQLite", "MariaDB")
WHOLE = "no-op items added, claimed, done, on record"
GOALS = {"SQLite": 8_000, "MariaDB": 5_000}
EACH_GOAL, OVER_CELERY = 1_000, 3
WORKERS = 16
"""With `record="each"` so many workers wait for their records: what they have done at one moment is one commit."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    through: int = 40_000
    each: int = 1_500
    each_beside: int = 10_000
    rivals: int = 5_000
    rounds: int = 3
    here: int = 300
    firsts: int = 30
    elsewhere: int = 40
    chain: int = 21
    messages: int = 30_000
    sqs_messages: int = 300
    large: int = 1_000_000
    small: int = 10_000
    few: int = 1_000
    looks: int = 201
    claims: int = 40
    claims_before: int = 400
    waiting_seconds: float = 15.0


FULL = Sizes()
Rates = Mapping[str, Sequence[float]]
"""Items a second of each way, round by round."""


def measure(house: House, rivals: bool, sizes: Sizes = FULL) -> list[Line]:
    """Measure all lines; `rivals` are the other queues."""
    servers = house.servers  # items need no warehouse
    lines = through(servers, rivals, sizes)
    for kind in KINDS:
        lines += how_soon(servers, kind, sizes)
    lines += items_queues.received(servers.broker, sizes.messages, sizes.sqs_messages)
    for kind in KINDS:
        lines += at_size(servers, kind, sizes)
    return lines


@contextmanager
def database(servers: Servers, kind: str) -> Iterator[dict[str, str]]:
    """Give the settings of a daemon on an empty state database, which is gone after the block."""
    with empty_folder() as folder:
        settings = {"HEARTBEAT_FILE": str(folder / "heartbeat"), "LOG_LEVEL": "WARNING", "WEB_PORT": "0"}
        if kind == "SQLite":
            yield {**settings, "STATE_DATABASE_URL": f"sqlite:///{folder / 'state.db'}"}
            return
        url = servers.sql.create_database()
        try:
            yield {**settings, "STATE_DATABASE_URL": url.render_as_string(hide_password=False)}
        finally:
            servers.sql.drop_database(url.database)


def through(servers: Servers, rivals: bool, sizes: Sizes) -> list[Line]:
    """Measure items a second, from the first that is added to the last on record; medians of rounds, in turns."""

    def janitor(kind: str, record: str, number: int, workers: int = 1) -> Callable[[], Mapping[str, float]]:
        return lambda: {f"{kind}, {record}, {workers}": _through(servers, kind, record, number, workers)}

    ways = [janitor(kind, "batch", sizes.through) for kind in KINDS]
    ways += [janitor(kind, "each", sizes.each) for kind in KINDS]
    ways += [janitor(kind, "each", sizes.each_beside, WORKERS) for kind in KINDS]
    why_not: list[str] = []
    with ExitStack() as stack:
        if rivals:
            queues = stack.enter_context(rival_queues.installed(servers.broker))
            ways += _rivals(queues, sizes.rivals, why_not)
        rates = _in_turns(ways, sizes.rounds)
    return _lines_of_through(rates, why_not if rivals else None)


def _through(servers: Servers, kind: str, record: str, number: int, workers: int) -> float:
    with database(servers, kind) as environment:
        found = _daemon(environment, "through", record, number, workers)
    return number / float(found["seconds"])


def _rivals(queues: Queues, number: int, why_not: list[str]) -> list[Callable[[], Mapping[str, float]]]:
    def tried(measured: Callable[[int], Mapping[str, float]]) -> Mapping[str, float]:
        try:
            return measured(number)
        except processes.Failed as exc:
            why_not.append(" ".join(str(exc).split())[-300:])
            return {}

    return [lambda: tried(queues.celery), lambda: tried(queues.huey)]


def _in_turns(ways: Sequence[Callable[[], Mapping[str, float]]], rounds: int) -> Rates:
    """The rates of each way. Each second round goes backwards: what was there before leaves traces."""
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        for way in ways if number % 2 == 0 else reversed(ways):
            for name, rate in way().items():
                found.setdefault(name, []).append(rate)
    return found


def _lines_of_through(rates: Rates, why_not: Sequence[str] | None) -> list[Line]:
    """The lines of what was measured; `why_not` says why a rival could not be, and is None without rivals."""
    lines = []
    for kind, goal in GOALS.items():
        rate = statistics.median(rates[f"{kind}, batch, 1"])
        beside = (HUEY, CELERY, CELERY_TAKING) if kind == "SQLite" else (CELERY, CELERY_TAKING)
        others = [] if why_not is None else [_rival(name, rates, why_not) for name in beside]
        others += [] if why_not is None or kind != "SQLite" else [PROCRASTINATE]
        lines.append(Line(f"{WHOLE}, {kind}", rate, "items/s", f">= {goal:,} a second", rate >= goal, others))
    if CELERY in rates:
        times = min(_times(rates, "MariaDB, batch, 1", name) for name in (CELERY, CELERY_TAKING))
        goal_text, met = f">= {OVER_CELERY} times", times >= OVER_CELERY
        name = f"{WHOLE}, MariaDB, over Celery where that is faster: published beside a worker, or published before"
        lines.append(Line(name, times, "times as fast", goal_text, met))
    for kind in KINDS:
        rate, alone = (statistics.median(rates[f"{kind}, each, {workers}"]) for workers in (WORKERS, 1))
        name = f"{WHOLE}, each recorded before its worker's next, {WORKERS} workers, {kind}"
        one = Rival("one worker, so a commit for each", alone)
        lines.append(Line(name, rate, "items/s", f">= {EACH_GOAL:,} a second", rate >= EACH_GOAL, [one]))
    return lines


def _times(rates: Rates, ours: str, theirs: str) -> float:
    """How many times as fast one is: the median over rounds."""
    return statistics.median(mine / other for mine, other in zip(rates[ours], rates[theirs], strict=True))


def _rival(name: str, rates: Rates, why_not: Sequence[str]) -> Rival:
    if name not in rates:
        return Rival(name, None, next(iter(why_not), ""))
    return Rival(name, statistics.median(rates[name]), WHAT[name])


def how_soon(servers: Servers, kind: str, sizes: Sizes) -> list[Line]:
    """Measure how soon items are begun that are added one by one; and how long one takes through ten steps."""
    with database(servers, kind) as environment:
        late = _daemon(environment, "begun", sizes.here, sizes.firsts, sizes.elsewhere)
    with database(servers, kind) as environment:
        chain = _daemon(environment, "chain", sizes.chain)
    here, first = (_at(late[name], 0.99) * 1000 for name in ("here", "first"))
    elsewhere, longest = max(late["elsewhere"]), max(chain["later"]) * 1000
    usual = Rival("its median", statistics.median(chain["later"]) * 1000)
    began = Rival("the first, for which each step's run has to begin", chain["first"] * 1000)
    return [
        Line(f"added here to begun, p99, {kind}", here, "ms", "<= 50 ms", here <= 50),
        Line(f"added here to begun, a run has to begin first, p99, {kind}", first, "ms", "<= 50 ms", first <= 50),
        Line(f"added by another process to begun, latest, {kind}", elsewhere, "s", "<= 1 s", elsewhere <= 1),
        Line(
            f"one item through 10 no-op steps, slowest, {kind}",
            longest,
            "ms",
            "<= 100 ms",
            longest <= 100,
            [usual, began],
        ),
    ]


def at_size(servers: Servers, kind: str, sizes: Sizes) -> list[Line]:
    """Measure what many items cost, on state databases of a kind that are filled with them."""
    with ExitStack() as stack:
        folder = stack.enter_context(empty_folder())
        large, small, few = (
            items_at_size.filled(stack.enter_context(database(servers, kind)), number)
            for number in (sizes.large, sizes.small, sizes.few)
        )
        lines = items_at_size.looks(kind, large, small, sizes.looks)
        lines += items_at_size.memory(kind, large, few, sizes.waiting_seconds)
        # From here on no other process can lead: the dashboard is this one's.
        lines += items_at_size.pages(kind, large, folder)
        return [*lines, *items_at_size.claims(kind, large, small, sizes.claims, sizes.claims_before)]


def _daemon(environment: Mapping[str, str], work: str, *arguments: object) -> dict[str, Any]:
    texts = [str(argument) for argument in arguments]
    return processes.python("benchmarks.items_daemon", work, *texts, environment=environment)


def _at(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; they come in order."""
    return values[math.ceil(share * len(values)) - 1]
