"""A table as an inbox: each row that is ready is launched once, and gets its final status, whoever dies when."""

import os
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.errors import BadSetting, Cancelled, Fenced
from janitor.items.inboxes.table import TableInbox
from janitor.items.item import Item
from janitor.items.reading import Reading
from janitor.needs import DatabaseNeed, ServiceNeed
from janitor.state import State
from tests.items.inboxes.orders import SETTING, Orders
from tests.items.inboxes.receiving import Desk, Standing, tell, work
from tests.servers import SqlServer
from tests.small_engine import eventually


def die(_: object) -> None:
    raise ConnectionResetError("as if the process had died")


def test_a_row_goes_from_ready_to_success(small_state: State, orders: Orders) -> None:
    # Given: rows of several statuses. What happens: they are received, worked on, and told. What must hold: those that
    # were ready are items, started meanwhile, and have the status of their end; all others stay.
    orders.add(1, 2, 3, study="Heron", amount="12.50")
    orders.add(4, status="Draft")
    orders.add(5, status="Success")
    desk = orders.desk(small_state)
    assert desk.receive() == {"received": 3, "items": 3, "dead_letters": 0}
    assert desk.keys == ["1", "2", "3"]
    assert desk.items[0]["envelopes"] == [{"inbox": "orders", "row": 1}]
    assert orders.statuses == {1: "Started", 2: "Started", 3: "Started", 4: "Draft", 5: "Success"}

    def fail_second(item: Item) -> None:
        if item.key == "2":
            raise ValueError("no such study")

    desk.compute = fail_second
    work(desk)
    assert set(orders.statuses.values()) == {"Started", "Draft", "Success"}
    tell(desk)
    assert orders.statuses == {1: "Success", 2: "Failure", 3: "Success", 4: "Draft", 5: "Success"}
    assert desk.receive() == {"received": 0, "items": 0, "dead_letters": 0}


def test_columns_are_the_arguments(small_state: State, orders: Orders) -> None:
    orders.add(7, study="Hérön", amount="12.50", due=datetime(2026, 7, 1, 12, 30), options='{"depth": 3}')
    orders.add(8)
    columns = ("study", "amount", "due", "options")
    desk = orders.desk(small_state, columns=columns, json_columns=("options",), key="{study}-{id}")
    desk.receive()
    first, second = desk.items
    assert first["key"] == "Hérön-7" and second["key"] == "None-8"
    amount, due = first["args"].pop("amount"), first["args"].pop("due")
    assert first["args"] == {"id": 7, "study": "Hérön", "options": {"depth": 3}}
    assert float(amount) == 12.5 and due.replace(" ", "T").startswith("2026-07-01T12:30:00")
    assert second["args"] == {"id": 8, "study": None, "amount": None, "due": None, "options": None}


def test_own_names_and_numbers_may_be_statuses(small_state: State, database_url: URL) -> None:
    table = "CREATE TABLE orders (`order` VARCHAR(20) PRIMARY KEY, status INTEGER, `select` VARCHAR(9))"
    orders = Orders(database_url, table)
    orders.execute("INSERT INTO orders VALUES ('b', 1, 'x'), ('a', 1, 'y'), ('c', 9, 'z')")
    names = {"id_column": "order", "columns": ("select",), "ready": 1, "started": 2, "success": 3, "failure": 4}
    desk = orders.desk(small_state, **names)
    desk.receive()
    assert [item["args"] for item in desk.items] == [{"order": "a", "select": "y"}, {"order": "b", "select": "x"}]
    work(desk)
    tell(desk)
    with orders.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT `order`, status FROM orders ORDER BY 1").all()
    assert [tuple(row) for row in found] == [("a", 3), ("b", 3), ("c", 9)]
    orders.engine.dispose()
    databases.dispose()


def test_many_rows_are_claimed_in_batches(small_state: State, orders: Orders) -> None:
    with orders.engine.begin() as connection:
        for number in range(1, 251):
            connection.exec_driver_sql(f"INSERT INTO orders (id, status) VALUES ({number}, 'Ready')")
    desk = orders.desk(small_state, most=100)
    assert desk.receive() == {"received": 250, "items": 250, "dead_letters": 0}
    assert desk.batches == [100, 100, 50] and desk.keys == [str(number) for number in range(1, 251)]


def test_a_row_that_can_be_no_item_fails(small_state: State, orders: Orders) -> None:
    orders.add(1, study="x" * 40)
    orders.add(2, study="short")
    desk = orders.desk(small_state, reading=Reading(most_bytes=60))
    assert desk.receive() == {"received": 2, "items": 1, "dead_letters": 1}
    assert orders.statuses == {1: "Failure", 2: "Started"} and desk.keys == ["2"]
    work(desk)
    tell(desk)
    assert orders.statuses == {1: "Failure", 2: "Success"}


def test_a_column_that_holds_no_json_fails(small_state: State, orders: Orders) -> None:
    orders.add(1, options='{"depth": 3}')
    orders.add(2, options="depth 3")
    desk = orders.desk(small_state, columns=("options",), json_columns=("options",))
    assert desk.receive() == {"received": 2, "items": 1, "dead_letters": 1}
    assert orders.statuses == {1: "Started", 2: "Failure"}
    assert [reason for reason, _ in desk.letters] == ["one of its columns options holds no JSON"]


def test_a_launch_that_was_lost_is_made_up_for(small_state: State, orders: Orders) -> None:
    # Given: a process that dies after the claim and before the commit. What happens: the next run begins. What must
    # hold: the rows are launched, once, and no status is lost.
    orders.add(1, 2, 3)
    desk = orders.desk(small_state)
    desk.before = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    assert orders.statuses == {1: "Started", 2: "Started", 3: "Started"} and desk.items == []
    desk.before = lambda _: None
    assert desk.receive() == {"received": 3, "items": 3, "dead_letters": 0}
    assert desk.receive() == {"received": 0, "items": 0, "dead_letters": 0}
    work(desk)
    tell(desk)
    assert desk.keys == ["1", "2", "3"] and set(orders.statuses.values()) == {"Success"}


def test_an_item_that_was_committed_is_not_launched_again(small_state: State, orders: Orders) -> None:
    # Given: a process that dies after the commit. What happens: runs begin while the item waits, while it has ended and
    # nobody was told, and after that. What must hold: its step is done once, and each way is told once.
    orders.add(1, 2)
    desk, done = orders.desk(small_state), list[str]()
    desk.compute = lambda item: done.append(item.key)
    desk.after = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    desk.after = lambda _: None
    nothing_new = {"received": 0, "items": 0, "dead_letters": 0}
    assert desk.receive() == nothing_new
    work(desk)
    assert desk.receive() == nothing_new and set(orders.statuses.values()) == {"Started"}
    tell(desk)
    assert desk.receive() == nothing_new and set(orders.statuses.values()) == {"Success"}
    work(desk)
    assert done == ["1", "2"] and desk.replies == [("sent", 1), ("sent", 2)]


@pytest.mark.parametrize("options", [{}, {"reading": Reading(most_bytes=1_000)}])
def test_a_row_that_is_made_ready_again_is_done_anew(
    small_state: State, orders: Orders, options: dict[str, Any]
) -> None:
    orders.add(1, study="a")
    desk, done = orders.desk(small_state, **options), list[Any]()
    desk.compute = lambda item: done.append(item.args["study"])
    for study in ("a", "b"):
        orders.execute("UPDATE orders SET status = 'Ready', study = :study", study=study)
        desk.receive()
        work(desk)
        tell(desk)
        assert orders.statuses == {1: "Success"}
    assert done == ["a", "b"] and desk.keys == ["1"]


def test_a_second_launch_that_was_lost_is_made_up_for_too(small_state: State, orders: Orders) -> None:
    # Given: a row that is done, and made ready again. What happens: the process dies between its claim and the commit.
    # What must hold: the next run launches it, though an item with its key has ended long ago.
    orders.add(1)
    desk, done = orders.desk(small_state), list[str]()
    desk.compute = lambda item: done.append(item.key)
    desk.receive()
    work(desk)
    tell(desk)
    orders.set(1, "Ready")
    desk.before = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    assert orders.statuses == {1: "Started"}
    desk.before = lambda _: None
    assert desk.receive() == {"received": 1, "items": 1, "dead_letters": 0}
    work(desk)
    tell(desk)
    assert orders.statuses == {1: "Success"} and done == ["1", "1"]


def test_a_status_of_before_is_written_again_if_so_wanted(small_state: State, orders: Orders) -> None:
    orders.add(1)
    desk, done = orders.desk(small_state, reading=Reading(on_duplicate="reply")), list[str]()
    desk.compute = lambda item: done.append(item.key)
    for _ in range(2):
        orders.set(1, "Ready")
        desk.receive()
        work(desk)
        tell(desk)
        assert orders.statuses == {1: "Success"}
    assert done == ["1"]


def test_a_status_that_cannot_be_written_is_no_reason_to_launch(small_state: State, orders: Orders) -> None:
    # Given: a table that takes no other status. What happens: the item ends, its status is refused and given up. What
    # must hold: the row is not launched again and again.
    if databases.family(orders.url) == "mysql":
        orders.execute("ALTER TABLE orders MODIFY status ENUM('Ready', 'Started') NOT NULL")
    else:
        orders.execute(
            "CREATE TRIGGER closed BEFORE UPDATE ON orders WHEN NEW.status = 'Success' "
            "BEGIN SELECT RAISE(ABORT, 'closed'); END"
        )
    orders.add(1)
    desk, done = orders.desk(small_state), list[str]()
    desk.compute = lambda item: done.append(item.key)
    for _ in range(3):
        desk.receive()
        work(desk)
        tell(desk)
    assert done == ["1"] and orders.statuses == {1: "Started"} and desk.replies == [("given up", 1)]


def test_a_status_that_a_person_gives_meanwhile_stays(small_state: State, orders: Orders) -> None:
    orders.add(1, 2)
    desk = orders.desk(small_state)
    desk.receive()
    orders.set(2, "On hold")
    work(desk)
    tell(desk)
    assert orders.statuses == {1: "Success", 2: "On hold"}


def test_two_inboxes_launch_each_row_once(small_state: State, orders: Orders) -> None:
    # Given: two installations, each with a memory and a word for `started` of its own, that look at one table. What
    # happens: rows come meanwhile. What must hold: each row is an item of one of them, once.
    other_state = State(small_state.url.set(database=f"{small_state.url.database}2"))
    Path(str(other_state.url.database)).write_bytes(Path(str(small_state.url.database)).read_bytes())
    desks = orders.desk(small_state, most=7, started="At A"), orders.desk(other_state, most=7, started="At B")
    orders.add(*range(1, 121))
    with Standing(desks[0]) as one, Standing(desks[1]) as other:
        orders.add(*range(121, 201))
        eventually(lambda: sum(len(desk.keys) for desk in desks) >= 200)
    assert one.error is None and other.error is None
    assert sorted(int(key) for desk in desks for key in desk.keys) == list(range(1, 201))
    where = {1: "At A", 2: "At B"}
    assert orders.statuses == {int(key): where[at] for at, desk in enumerate(desks, 1) for key in desk.keys}
    other_state.close()


def test_what_a_frozen_run_had_claimed_is_launched_by_the_next(small_state: State, orders: Orders) -> None:
    # Given: a run that freezes between its claim and its commit. What happens: another process takes over and launches
    # its rows; then it wakes. What must hold: it changes nothing any more, and each row is done once.
    orders.add(1, 2)
    frozen, next_one, done = orders.desk(small_state), orders.desk(small_state), list[str]()
    next_one.compute = lambda item: done.append(item.key)

    def wake_too_late(_: object) -> None:
        assert next_one.receive() == {"received": 2, "items": 2, "dead_letters": 0}
        raise Fenced("another daemon has taken over")

    frozen.before = wake_too_late
    with pytest.raises(Fenced):
        frozen.receive()
    work(next_one)
    tell(next_one)
    assert next_one.receive() == {"received": 0, "items": 0, "dead_letters": 0}
    assert done == ["1", "2"] and orders.statuses == {1: "Success", 2: "Success"}


def test_a_run_that_was_taken_over_claims_nothing(small_state: State, orders: Orders) -> None:
    # Given: a run that was frozen, and whose leases another process has by now. What happens: it wakes as it is about
    # to claim. What must hold: the rows stay ready, for the other process.
    orders.add(1, 2)
    desk = orders.desk(small_state)
    looks: list[int] = []

    def guard() -> bool:
        looks.append(1)
        # The first looks are those before the claim: the run finds out in the middle of it.
        if len(looks) > 4:
            raise Fenced("another daemon has taken over")
        return True

    with pytest.raises(Fenced):
        desk.receive_in(desk.run(by_hand=True, guard=guard))
    assert set(orders.statuses.values()) == {"Ready"} and desk.items == []


def test_an_idle_inbox_stops_when_it_is_asked(small_state: State, orders: Orders) -> None:
    desk = orders.desk(small_state, poll_seconds=0.1)
    with Standing(desk) as standing:
        orders.add(1)
        eventually(lambda: desk.keys == ["1"])
        standing.stop()
    assert standing.error is None and standing.counts == {"received": 1, "items": 1, "dead_letters": 0}
    with Standing(orders.desk(small_state, poll_seconds=600)) as standing:
        standing.stop(Cancelled("by Anna"))
    assert isinstance(standing.error, Cancelled)


def test_killed_at_any_moment_each_row_is_launched_once(small_state: State, orders: Orders) -> None:
    # Given: processes that are killed one after the other, each a little later. What happens: they launch rows. What
    # must hold: in the end each row is done once, and says so.
    for number in range(1, 61):
        orders.add(number)
    orders.engine.dispose()
    databases.dispose()
    small_state.engine.dispose()
    for tenths in range(12):
        pid = os.fork()
        if pid == 0:
            try:
                own = State(small_state.url)
                orders.desk(own, most=5).receive()
            finally:
                os._exit(0)
        time.sleep(0.02 + tenths / 50)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    desk, done = orders.desk(small_state), list[str]()
    desk.compute = lambda item: done.append(item.key)
    desk.receive()
    work(desk)
    tell(desk)
    assert sorted(int(key) for key in desk.keys) == list(range(1, 61)) and sorted(done) == sorted(desk.keys)
    assert set(orders.statuses.values()) == {"Success"}


def test_the_user_of_mariadb_needs_no_right_to_insert(small_state: State, mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    orders = Orders(url)
    orders.add(1)
    mariadb.execute(
        "CREATE OR REPLACE USER inbox_user IDENTIFIED BY 'secret'",
        f"GRANT SELECT, UPDATE (status) ON `{url.database}`.orders TO inbox_user",
    )
    desk = Desk(
        small_state,
        orders.settings(url.set(username="inbox_user", password="secret")),
        TableInbox("orders", SETTING, "orders", columns=("study",)),
    )
    table, status = desk.inbox.requires
    assert status.look(desk.settings)
    desk.receive()
    work(desk)
    tell(desk)
    assert orders.statuses == {1: "Success"}
    mariadb.execute("DROP USER inbox_user")
    mariadb.drop_database(url.database)


def test_check_is_told_what_to_look_at() -> None:
    inbox = TableInbox("orders", SETTING, "orders", columns=("study", "id"))
    table, status = inbox.requires
    assert table == DatabaseNeed(SETTING, reads={"orders": ("id", "status", "study")})
    assert isinstance(status, ServiceNeed) and status.settings == (SETTING,)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"table": ""}, "table"),
        ({"setting": ""}, "setting"),
        ({"started": "ready"}, "started"),
        ({"success": "Started"}, "started"),
        ({"failure": "Ready"}, "started"),
        ({"most": 0}, "most"),
        ({"most": 1_001}, "most"),
        ({"key": "{study"}, "key"),
        ({"key": "{project}"}, "key"),
        ({"json_columns": ("options",)}, "json_columns"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"reading": Reading(on_duplicate="ignore")}, "on_duplicate"),
        ({"reading": Reading(on_duplicate="change")}, "on_duplicate"),
    ],
)
def test_values_with_which_a_row_would_never_end_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} "):
        TableInbox(**{"name": "in", "setting": SETTING, "table": "orders", "columns": ("study",), **options})
