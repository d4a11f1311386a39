"""Messages that a broker refuses, for themselves or because a queue is full, while others go on."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from janitor.operations import actions
from janitor.state import State
from tests.faults import checker
from tests.faults.consumer import counted
from tests.faults.fault import A_SECOND, Fault
from tests.faults.house import House
from tests.servers import Broker
from tests.small_engine import eventually
from tests.tasks.sequencing_publisher.oracle import derived

NAME = "sequencing_publisher"
LIMIT = "application:set_env(rabbit, max_message_size, {})."
LIMIT_BYTES, USUAL_BYTES = 5_000, 134_217_728
PATHS = 60
"""So many paths of 200 characters make a message larger than the limit. All other messages are far smaller."""
TOO_LARGE = "is larger than configured max size"
ROOM = 8
"""How many messages the full queue takes before it refuses the rest."""
FULL = "a queue bound to it is full or broken"
TRIES = 2
"""How often a message is tried at once. Before the third try there is a pause of minutes."""


def refused_messages(house: House, broker: Broker) -> list[Fault]:
    """List the faults in which the broker refuses some messages and takes the others."""
    where = (f"{broker.host}:{broker.port}",)
    return [
        Fault("RabbitMQ refuses large messages", lambda: some_too_large(house, broker), where, (), seconds=2.0),
        Fault("RabbitMQ has a queue that is full", lambda: one_queue_full(house), where, (FULL,), seconds=1.0),
    ]


@contextmanager
def some_too_large(house: House, broker: Broker) -> Iterator[None]:
    """Let the broker take no message over a limit, and let some messages be larger.

    In the end exactly these wait in quarantine, with the broker's words, and no other message came twice.
    """
    before = checker.repeated(house.consumer.drain()).total()
    broker.ctl("eval", LIMIT.format(LIMIT_BYTES))
    try:
        large = {house.writer.sequencing.start_wide_run(PATHS) for _ in range(2)}
        yield
        house.writer.finish()
        house.settle(rounds=1)
        found = house.in_state(f"SELECT `key`, item, reason FROM quarantine WHERE name = '{NAME}'")
        waiting = {(key, int(item)) for key, item, reason in found if TOO_LARGE in reason}
        # Further statuses of a wide run make large messages too.
        assert waiting >= large and waiting == unpublished(house), f"{waiting} wait, not {unpublished(house)}"
        again = checker.repeated(house.consumer.drain()).total() - before
        assert again == 0, f"{again} messages were published again since others were too large"
    finally:
        broker.ctl("eval", LIMIT.format(USUAL_BYTES))
    try_again(house)
    house.writer.start(a_second=A_SECOND)


@contextmanager
def one_queue_full(house: House, room: int = ROOM) -> Iterator[None]:
    """Bind a second queue that is full after so many messages, and refuses what comes then.

    In the end each message that both queues took came once, and the others as often as they were tried.
    """
    consumer = house.consumer
    name = f"{consumer.exchange}.full"
    known = len(consumer.drain())
    with consumer.broker.channel() as channel:
        channel.queue_declare(name, durable=True, arguments={"x-max-length": room, "x-overflow": "reject-publish"})
        channel.queue_bind(name, consumer.exchange, "")
    yield
    house.writer.finish()
    eventually(lambda: not unpublished(house) and set(attempts(house)) == {TRIES}, lambda: f"{attempts(house)} tries")
    with consumer.broker.channel() as channel:
        taken = set()
        while (got := channel.basic_get(name, auto_ack=True))[0] is not None:
            taken.add(str(getattr(got[1], "message_id")))
        channel.queue_delete(name)
    came = Counter(message.id for message in consumer.drain()[known:])
    assert len(taken) == room and {came[id] for id in taken} <= {1}, f"{[came[id] for id in taken]} times, not once"
    house.refused |= came.keys() - taken
    assert max(came.values()) <= TRIES, f"{came.most_common(3)}"
    try_again(house)
    house.writer.start(a_second=A_SECOND)


def unpublished(house: House) -> set[tuple[str, int]]:
    """The samples and statuses whose message has not come."""
    received = counted(house.consumer.drain()).keys()
    return {
        (sample, status)
        for (status, sample, *_), record in derived(house.warehouses).messages.items()
        if record not in received
    }


def attempts(house: House) -> list[int]:
    """How often each message that waits for another try was tried."""
    return [count for [count] in house.in_state(f"SELECT attempts FROM refusals WHERE name = '{NAME}'")]


def try_again(house: House) -> None:
    """Let what was refused be tried at once, as a person does."""
    state = State(house.state_url)
    actions.retry(state, NAME, None, "test", datetime.now(UTC))
    state.close()


def try_until_taken(house: House) -> None:
    """Let what was refused be tried again until the broker has taken all of it.

    A channel that is open keeps the old limit: what is on its way may be refused after a person has asked.
    """

    def is_taken() -> bool:
        waiting = attempts(house)
        if waiting:
            try_again(house)
        return not waiting

    eventually(is_taken, lambda: f"{attempts(house)} tries")
