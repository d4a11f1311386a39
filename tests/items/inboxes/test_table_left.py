"""Which started rows are launched again: those without an item, and those whose last status was told before."""

from collections.abc import Iterator, Mapping

from janitor.items.inboxes.table_left import left_over, status_name
from janitor.items.inboxes.table_rows import Claimed, Rows
from janitor.runs import running
from janitor.state import State
from tests.items.inboxes.orders import Orders
from tests.items.inboxes.receiving import Desk, tell, work


def lost(desk: Desk) -> list[int]:
    """The ids of the rows whose launch was lost."""
    inbox = desk.inbox
    rows = Rows(desk.settings.needed(inbox.setting), inbox.layout)
    with running(desk.run()):
        return [int(row.id) for page in left_over(rows, inbox.name, inbox.key_of) for row in page]


def test_each_kind_of_row_is_told_apart(small_state: State, orders: Orders) -> None:
    # Given: rows at every stage. What happens: started rows are looked at. What must hold: those of items that wait,
    # are at work, or are still to be told of are left alone.
    desk = orders.desk(small_state)
    orders.add(1, 2)
    desk.receive()
    assert lost(desk) == []
    work(desk)
    assert lost(desk) == []
    tell(desk)
    assert lost(desk) == []
    orders.add(3, status="Started")
    orders.add(4, status="Ready")
    orders.set(2, "Started")
    assert lost(desk) == [2, 3]
    orders.add(5, status="Ready")
    desk.receive()
    assert lost(desk) == []


def test_a_status_that_was_written_meanwhile_is_seen(small_state: State, orders: Orders) -> None:
    # Given: a row that is done, made ready and claimed again, as it seems when the rows are read. What happens: its
    # status is written before the look ends. What must hold: it is not launched.
    desk = orders.desk(small_state)
    orders.add(1, status="Started")
    inbox = desk.inbox

    class Slow(Rows):
        def started(self) -> Iterator[list[Claimed]]:
            """Read the rows, then let somebody write."""
            for page in super().started():
                orders.set(1, "Success")
                yield page

    rows = Slow(desk.settings.needed(inbox.setting), inbox.layout)
    with running(desk.run()):
        assert list(left_over(rows, inbox.name, inbox.key_of)) == []


def test_items_of_other_pipelines_do_not_count(small_state: State, orders: Orders) -> None:
    desk = orders.desk(small_state)
    orders.add(1)
    desk.receive()
    rows = Rows(desk.settings.needed(desk.inbox.setting), desk.inbox.layout)
    elsewhere = desk.run()
    elsewhere.job = "other.orders"
    with running(elsewhere):
        assert [row.id for page in left_over(rows, "orders", desk.inbox.key_of) for row in page] == [1]


def test_a_reply_to_another_row_does_not_count(small_state: State, orders: Orders) -> None:
    # Given: two rows that share a key, and so an item. What happens: the first is told, and the second comes later.
    desk = orders.desk(small_state, key="{study}")
    orders.add(1, study="a")
    desk.receive()
    work(desk)
    tell(desk)
    orders.add(2, study="a", status="Started")
    assert lost(desk) == []
    assert status_name("orders") == desk.inbox.reply.name == "orders-status"


def test_keys_are_those_of_the_launch(small_state: State, orders: Orders) -> None:
    desk = orders.desk(small_state, key="{study}-{id:04}")
    values: Mapping[str, object] = {"id": 7, "study": "x", "amount": None}
    assert desk.inbox.key_of(Claimed(7, values)) == "x-0007"
