"""The final status of a row: who gets one, and what becomes of it while the table takes nothing."""

import pytest

from janitor.errors import Skip, Unavailable
from janitor.state import State
from tests.items.inboxes.orders import Orders


def test_items_of_others_change_no_row(small_state: State, orders: Orders) -> None:
    orders.add(1, status="Started")
    desk = orders.desk(small_state)
    sender = desk.inbox.reply.open(desk.settings)
    for envelope in ({}, {"inbox": "other", "row": 1}, {"row": 1}, {"inbox": "orders"}):
        with pytest.raises(Skip, match="^its item did not come from orders$"):
            sender.send(desk.answer(envelope))
    assert orders.statuses == {1: "Started"}
    sender.send(desk.answer({"inbox": "orders", "row": 1}, kind="warning"))
    sender.close()
    assert orders.statuses == {1: "Success"}


def test_a_table_that_takes_nothing_now_lets_the_status_wait(small_state: State, orders: Orders) -> None:
    # Given a table that is gone while its database is moved. The status may go later: nothing is given up.
    orders.add(1, status="Started")
    desk = orders.desk(small_state)
    sender = desk.inbox.reply.open(desk.settings)
    orders.execute("ALTER TABLE orders RENAME TO moved")
    with pytest.raises(Unavailable, match="^a table is missing"):
        sender.send(desk.answer({"inbox": "orders", "row": 1}))
    orders.execute("ALTER TABLE moved RENAME TO orders")
    sender.send(desk.answer({"inbox": "orders", "row": 1}))
    sender.close()
    assert orders.statuses == {1: "Success"}
