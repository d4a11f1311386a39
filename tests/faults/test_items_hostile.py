"""Ten thousand hostile messages among good ones: each becomes an item or a dead letter, and the good ones are done."""

import json
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from sqlalchemy import URL, func, select

from janitor.state.item_replies import DUE
from janitor.state.item_states import DONE, OPEN
from janitor.state.item_tables import item_letters, item_replies, items
from janitor.state.tables import runs
from tests.faults.item_house import ItemHouse, item_house
from tests.servers import Broker
from tests.small_engine import eventually

GOOD = 300
END_SECONDS = 400.0
MARK = "token-4711"
TEXTS = [
    "",
    " ",
    "\x00",
    "\ud800",
    "é" * 300,
    "k" * 256,
    "../../etc/passwd",
    "'; DROP TABLE items; --",
    "a\nb",
    "\u202e",
    "😀",
]
NUMBERS = ["0", "-1", "1e999", "9" * 500, "NaN", "Infinity", "-Infinity", "1.5", "0.1e-400", "true", "null"]


def payloads(count: int, chance: random.Random) -> Iterator[bytes]:
    """So many bodies that nobody should send."""
    makers: list[Callable[[random.Random], bytes]] = [
        noise,
        cut_off,
        changed,
        deep,
        wide,
        odd_values,
        odd_keys,
        no_object,
    ]
    for number in range(count):
        yield makers[number % len(makers)](chance)


def noise(chance: random.Random) -> bytes:
    """Any bytes."""
    return chance.randbytes(chance.randint(0, 300))


def proper(chance: random.Random) -> bytes:
    """A body as it should be, with a key that no good one has."""
    key = "".join(chance.choices(string.ascii_letters, k=12))
    return json.dumps({"key": f"x-{key}", "number": chance.randint(0, 99), "token": MARK}).encode()


def cut_off(chance: random.Random) -> bytes:
    """A body that ends too soon."""
    body = proper(chance)
    return body[: chance.randint(0, len(body) - 1)]


def changed(chance: random.Random) -> bytes:
    """A body of which some bytes are others."""
    body = bytearray(proper(chance))
    for _ in range(chance.randint(1, 5)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def deep(chance: random.Random) -> bytes:
    """Lists in lists, or objects in objects."""
    levels = chance.choice([10, 60, 2_000, 100_000])
    if chance.random() < 0.5:
        return b'{"key": "deep", "number": ' + b"[" * levels + b"]" * levels + b"}"
    return b'{"key": "deep", "number": ' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


def wide(chance: random.Random) -> bytes:
    """Many members, or one name many times."""
    count = chance.choice([10, 5_000])
    names = ["key"] * count if chance.random() < 0.5 else [f"n{number}" for number in range(count)]
    return ("{" + ", ".join(f'"{name}": "{number}"' for number, name in enumerate(names)) + "}").encode()


def odd_values(chance: random.Random) -> bytes:
    """Numbers and texts that are hard to keep."""
    key = json.dumps(chance.choice(TEXTS))
    number = chance.choice(NUMBERS)
    return (
        f'{{"key": {key}, "number": {number}, "order_at": {number}, "priority": {number}, "token": "{MARK}"}}'.encode()
    )


def odd_keys(chance: random.Random) -> bytes:
    """Keys that are no texts, or no good ones."""
    found = chance.choice(["1", "1.5", "true", "null", "[]", "{}", *map(json.dumps, TEXTS)])
    return f'{{"key": {found}, {json.dumps(chance.choice(TEXTS))}: 1}}'.encode()


def no_object(chance: random.Random) -> bytes:
    """JSON that is no object, in some encoding."""
    text = chance.choice(["[]", "[1, 2]", '"key"', "7", "null", "", '{"key": "a"} {"key": "b"}', '{"key": "é"}'])
    return text.encode(chance.choice(["utf-8", "utf-16", "utf-32", "latin-1"]))


def properties(chance: random.Random) -> pika.BasicProperties:
    """Whom to answer, as nobody should say it."""
    odd = [None, "", "no-such-queue", "q" * 255, "é" * 100]
    headers: dict[str, Any] = {"n": chance.choice([1, -(2**63), None, True, "é", b"\xff", [1, {"a": None}], {}])}
    return pika.BasicProperties(
        reply_to=chance.choice(odd),
        correlation_id=chance.choice([None, "", "c" * 255, "é"]),
        message_id=chance.choice([None, "m"]),
        content_type=chance.choice([None, "application/json", "x" * 200]),
        headers=headers if chance.random() < 0.5 else None,
        delivery_mode=2,
    )


@pytest.fixture
def house(database_url: URL, rabbitmq: Broker, tmp_path: Path) -> Iterator[ItemHouse]:
    """A house of items, on either kind of state database."""
    with item_house(database_url, rabbitmq, tmp_path, LEASE_SECONDS="15") as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hostile_messages_end_nothing(
    house: ItemHouse, whole: bool, faults_seed: int, record_property: Callable[[str, Any], None]
) -> None:
    chance, count = random.Random(f"{faults_seed} hostile items"), 10_000 if whole else 1_000
    daemon = house.start()
    house.ask_for(GOOD // 2)
    with house.broker.channel() as channel:
        channel.confirm_delivery()
        for body in payloads(count, chance):
            channel.basic_publish("", house.queue, body, properties(chance))
    house.ask_for(GOOD // 2)
    number = select(func.count())

    def is_quiet() -> bool:
        is_open = house.count(number.select_from(items).where(items.c.state == OPEN))
        due = house.count(number.select_from(item_replies).where(item_replies.c.state == DUE))
        done = house.count(number.select_from(items).where(items.c.state == DONE, items.c.key.in_(house.asked)))
        return (house.broker.waiting(house.queue), is_open, due, done) == (0, 0, 0, GOOD)

    eventually(is_quiet, lambda: daemon.text[-3000:], END_SECONDS)
    letters = house.count(number.select_from(item_letters))
    known = house.count(number.select_from(items))
    with house.state.read() as connection:
        reasons = connection.execute(select(item_letters.c.reason, item_letters.c.message)).all()
        ended = connection.execute(
            select(runs.c.reason).where(runs.c.job == "p.queue", runs.c.outcome.is_not(None))
        ).all()
    assert all(row.reason for row in reasons)
    assert not ended, f"the inbox ended: {ended}"
    told = {key for key, _ in house.told()}
    assert set(house.asked) <= told
    assert daemon.alive
    assert daemon.end(seconds=60) == 0
    record_property(
        "faults", f"items: {count} hostile messages, {letters} dead letters, {known} items; the good ones done"
    )
