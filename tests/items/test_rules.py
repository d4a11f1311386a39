"""The ten rules of items, each on the real engine and on each kind of state database."""

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, func, select, update

from janitor.engine import on_demand, pruning
from janitor.errors import Rejected, Unavailable
from janitor.items import Item, Step
from janitor.items.ends import Answer
from janitor.operations import items as operations
from janitor.runs import PastItem, current_run
from janitor.state import actions, item_adding, item_counts
from janitor.state.item_adding import NewItem
from janitor.state.item_counts import by_state
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, LEFT_OUT, OPEN, PROCESSING, READY, WAITING
from janitor.state.item_tables import item_letters, item_results, item_steps, items
from janitor.state.tables import leases
from tests.daemons import daemons
from tests.engine.keeping import give_away
from tests.items.doors import Queue, Way
from tests.items.house import KEYS, Gate, Seen, house, in_a_thread, succeeded
from tests.items.item_daemon import STEPS
from tests.small_engine import eventually


def test_1_a_step_runs_once_its_needs_are_met_the_oldest_first(state_url: URL, tmp_path: Path) -> None:
    # Given items with priorities, moments and ties, whose second step needs one status of the first, and whose third
    # needs what comes of the second.
    first, second = Seen(), Seen()
    first.do = lambda item: item.args["says"]
    steps = Step("a", first), Step("b", second, needs={"a": "few"}), Step("c", Seen(), needs=["b"])
    with house(state_url, tmp_path, *steps, leads=False, statuses={"few": "warning", "none": "error"}) as made:
        at, says = made.now(), ["few", None, "none"]
        wanted = [("urgent", 9, 5), ("old", 0, -9), *((f"tie {n:02}", 0, 0) for n in range(30)), ("new", 0, 9)]
        for number, (key, priority, seconds) in enumerate(wanted):
            later = {"priority": priority, "order_at": at + timedelta(seconds=seconds)}
            made.add(key, args={"says": says[number % 3]}, **later)
        made.go_until_ended(len(wanted))
        assert first.keys == [key for key, _, _ in wanted]
        assert second.keys == first.keys[::3]
        for number, key in enumerate(first.keys):
            states = {name: row.state for name, row in made.steps(key).items()}
            assert (
                states
                == (
                    {"a": DONE, "b": DONE, "c": DONE},
                    {"a": DONE, "b": LEFT_OUT, "c": LEFT_OUT},
                    {"a": FAILED, "b": BLOCKED, "c": BLOCKED},
                )[number % 3]
            )
        made.check_counts()


def test_2_nobody_else_has_what_a_run_holds(state_url: URL, tmp_path: Path) -> None:
    # Given a process whose lease goes to another one while it works on four items. The other one does all anew; what
    # the first one brings, once it goes on, is written nowhere.
    gate, theirs = Gate(), Seen()
    mine = Seen()

    def do(item: Item) -> None:
        gate.pass_through(item.key)
        item.result = "mine"

    mine.do = do
    theirs.do = lambda item: setattr(item, "result", "theirs")
    with house(state_url, tmp_path, Step("a", mine, workers=4)) as one:
        one.add(*KEYS)
        wait = in_a_thread(lambda: one.do("a"))
        gate.wait_for(4)
        with house(state_url, tmp_path, Step("a", theirs), leads=False) as other:
            give_away(one.runner, "job:p.a")
            with other.state.begin() as connection:
                past = other.now() - timedelta(days=1)
                connection.execute(update(leases).where(leases.c.name == "job:p.a").values(expires_at=past))
            counts = succeeded(other.do("a"))
            gate.open()
            wait()
            assert counts == {"processed": 40} and sorted(theirs.keys) == sorted(KEYS)
            assert {other.results(key)["a"] for key in KEYS} == {"theirs"}
            runs = [(row.id, row.outcome) for row in other.runs("a")]
            assert [outcome for _, outcome in runs] == ["interrupted", "succeeded"]
            for key in KEYS:
                done = [attempt.run_id for attempt in other.attempts(key) if attempt.status == "processed"]
                assert done == [runs[1][0]]
            other.check_counts()


@pytest.mark.slow
def test_3_what_a_dead_process_held_is_done_and_what_kills_it_is_found(state_url: URL, tmp_path: Path) -> None:
    # Given a daemon one of whose items kills it. It is started until all has ended: the deadly item has failed after
    # three processes, and all others are done.
    ledger = tmp_path / "ledger"
    with house(state_url, tmp_path, *STEPS, leads=False) as made:
        keys = [f"k{number:02}" for number in range(25)]
        made.add(*keys[:5], "deadly", *keys[5:])
        with daemons("tests.items.item_daemon", tmp_path, LEDGER=str(ledger), DONE=str(tmp_path / "done")) as start:
            for number in range(1, 5):
                daemon = start(state_url, f"daemon{number}")
                eventually(lambda: not daemon.alive or made.count(items.c.state == OPEN) == 0, made.told, 60)
                if daemon.alive:
                    daemon.end()
                    break
                assert daemon.wait() == -signal.SIGKILL, daemon.text
        assert number == 4
        assert made.statuses("deadly") == {"pack": "failed", "ship": "not processed"}
        assert [one.status for one in made.attempts("deadly")] == ["interrupted", "interrupted", "failed"]
        assert made.attempts("deadly")[2].reason == "its process ended before it was done, 3 of 3"
        assert all(set(made.statuses(key).values()) == {"processed"} for key in keys)
        lines = ledger.read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines if line.startswith("pack deadly ")]) == 3
        # Who was held beside it was begun once more at most for each death, and ends well.
        assert max(sum(line.startswith(f"pack {key} ") for line in lines) for key in keys) <= 2
        assert {row.outcome for row in made.runs()} <= {"interrupted", "succeeded"}
        made.check_counts()


def test_4_nothing_is_lost_and_effects_are_told_at_least_once(state_url: URL, tmp_path: Path) -> None:
    # Given an inbox that fails after its messages are committed and before they are taken off their queue: they come
    # again. And a receiver that has a reply and does not say so at first: it gets the same one again.
    queue, way = Queue({"key": "a"}, {"key": "b"}, {"key": "a"}, {"key": "c"}), Way()
    queue.falls = ["the queue is away"]
    unsure = {"a": "", "c": ""}

    def do(answer: Answer) -> None:
        if unsure.get(answer.key) == "":
            unsure[answer.key] = answer.id
            way.answers.append(answer)
            raise Unavailable("no answer came")

    def all_told() -> bool:
        return not queue.left and made.count(items.c.state == DONE) == 3 and made.replies_due() == 0

    way.do = do
    with house(state_url, tmp_path, Step("only", Seen()), leads=False, inboxes=[queue], replies=[way]) as made:
        made.go(lambda: eventually(all_told, made.told))
        assert sorted(made.keys()) == ["a", "b", "c"]
        told = {(answer.key, answer.envelope["to"]) for answer in way.answers}
        assert told == {("a", "asker 0"), ("a", "asker 2"), ("b", "asker 1"), ("c", "asker 3")}
        ids = [answer.id for answer in way.answers]
        assert [ids.count(one) for one in unsure.values()] == [2, 2] and len(ids) == len(set(ids)) + 2
        assert {answer.status for answer in way.answers} == {"processed"}
        assert "failed" in [row.outcome for row in made.runs("queue")]
        made.check_counts()


def test_5_a_bad_message_ends_nothing(state_url: URL, tmp_path: Path) -> None:
    bad = [
        b"",
        b"{",
        b"[1]",
        b'{"token": "sesame-17", "key": "\xff"}',
        {"n": 1, "token": "sesame-17"},
        {"key": "k" * 300},
        {"key": "\ud800"},
        {"key": "late", "task": "align", "timeout": 0},
        {"key": "unknown", "task": "dance"},
        {"key": "misfit", "task": "align", "n": "x"},
        {"key": "huge", "task": "align", "n": 10**400},
        {"key": "large", "task": "align", "more": "x" * 1_000},
    ]
    good = [{"key": f"good {number}", "task": "align", "n": number, "token": "sesame-17"} for number in range(5)]
    queue, way = Queue(*bad[:6], *good[:3], *bad[6:], *good[3:]), Way()
    schema = {"align": {"properties": {"n": {"type": "number", "multipleOf": 0.5}}}}
    options: dict[str, Any] = {"inboxes": [queue], "replies": [way], "schema": schema, "task_name": "task"}
    with house(state_url, tmp_path, Step("only", Seen()), leads=False, **options) as made:
        made.go(lambda: eventually(lambda: not queue.left and len(way.answers) == len(bad) + len(good), made.told))
        assert made.keys() == [one["key"] for one in good]
        assert made.count(items.c.state == DONE) == len(good)
        with made.state.read() as connection:
            letters = connection.execute(select(item_letters).order_by(item_letters.c.id)).all()
        assert len(letters) == len(bad) and all(row.reason for row in letters)
        assert "sesame" not in str([tuple(row) for row in letters])
        errors = [answer for answer in way.answers if answer.status == "dead letter"]
        assert sorted(answer.reason or "" for answer in errors) == sorted(row.reason for row in letters)
        assert {answer.code for answer in errors} == {"malformed", "expired", "unknown task", "too large"}
        assert made.check_counts()[":inboxes", FAILED, "dead letters"] == len(bad)
        assert {row.outcome for row in made.runs("queue")} == {"succeeded"}


def waits(item: Item) -> None:
    """Come to a safe point again and again."""
    while item.key == "long":
        current_run().sleep(0.02)


def waits_in_a_process(item: Item) -> None:
    """Come to no safe point."""
    while item.key == "long":
        pass


def test_6_each_item_has_its_time(state_url: URL, tmp_path: Path) -> None:
    # Given items that take too long, one that is past its time, and one whose time is over while it is done.
    way, gate = Way(), Gate()
    steps = (
        Step("thread", waits, timeout=1),
        Step("process", waits_in_a_process, timeout=3, isolation="process"),
        Step("gate", lambda item: gate.pass_through(item.key) if item.key == "late" else None),
    )
    with house(state_url, tmp_path, *steps, leads=False, replies=[way]) as made:
        made.add("expired", expires_at=made.now() - timedelta(seconds=1))
        made.add("late", expires_at=made.now() + timedelta(days=1))
        made.add("long", "good")

        def script() -> None:
            gate.wait_for(1)
            eventually(lambda: made.status_of("late", "process") == "processed", made.told)
            made.change_row("late", expires_at=made.now(), open_until=made.now())
            gate.open()
            eventually(lambda: len(way.answers) == 4, made.told, 60)

        made.go(script)
        assert set(made.statuses("expired").values()) == {"expired"}
        assert {one.status for one in made.attempts("expired")} <= {"expired"}
        assert made.statuses("long") == {
            "thread": "time limit exceeded",
            "process": "time limit exceeded",
            "gate": "processed",
        }
        assert set(made.statuses("late").values()) == set(made.statuses("good").values()) == {"processed"}
        told = {answer.key: (answer.status, answer.kind, answer.is_late) for answer in way.answers}
        assert told == {
            "expired": ("expired", "error", True),
            "late": ("processed", "ok", True),
            "long": ("time limit exceeded", "error", False),
            "good": ("processed", "ok", False),
        }
        made.check_counts()


def test_7_a_retry_waits_and_holds_up_nobody(state_url: URL, tmp_path: Path) -> None:
    # Given an item that fails at first, and others behind it. While it waits for its next try they are done. A person
    # puts back what failed, or all of it, which is on record.
    seen = Seen()
    fails = {"flaky": 1, "bad": 99}

    def do(item: Item) -> None:
        item.result = item.attempt
        if fails.get(item.key, 0) >= item.attempt:
            raise ValueError("not yet")

    seen.do = do
    steps = Step("a", seen, retries=1), Step("b", Seen(), needs=["a"])
    with house(state_url, tmp_path, *steps, leads=False) as made:
        made.add("flaky", "bad", *KEYS[:8])

        def script() -> None:
            made.wait_for_ended(10)
            assert seen.keys[:10] == ["flaky", "bad", *KEYS[:8]] and sorted(seen.keys[10:]) == ["bad", "flaky"]
            assert made.statuses("bad") == {"a": "failed", "b": "not processed"}
            fails.clear()
            state, now = made.state, made.now()
            assert operations.retry(state, operations.by_key(state, "p", "bad"), "eva", now) == 1
            made.wait_for_ended(10)
            assert operations.reset(state, operations.by_key(state, "p", "0"), "b", "eva", now) == 1
            assert operations.reprocess(state, operations.by_key(state, "p", "1"), "eva", now) == 1
            made.wait_for_ended(10)

        made.go(script)
        assert all(set(made.statuses(key).values()) == {"processed"} for key in ("flaky", "bad", *KEYS[:8]))
        first, second = made.attempts("flaky", "a")
        assert (first.status, second.status, second.started_at - first.started_at >= timedelta(seconds=1)) == (
            "failed",
            "processed",
            True,
        )
        assert [len(made.attempts(key, "a")) for key in ("bad", "0", "1")] == [3, 1, 2]
        assert [len(made.attempts(key, "b")) for key in ("bad", "0", "1")] == [1, 2, 2]
        with made.state.read() as connection:
            acts = [(row.action, row.actor) for row in actions.listing(connection)]
        assert sorted(acts) == [("reprocessed", "eva"), ("reset", "eva"), ("retried", "eva")]
        made.check_counts()


def test_8_progress_tells_the_truth(state_url: URL, tmp_path: Path) -> None:
    # Given items at every state: one each. What is blocked or has failed is not done, and no item is whole before all
    # of it is done.
    gate = Gate()

    def do(item: Item) -> str | None:
        if item.key == "held":
            gate.pass_through(item.key)
        if item.key in ("bad", "waits"):
            raise ValueError("boom")
        return "few" if item.key == "few" else None

    steps = (
        Step("a", do, workers=4),
        Step("b", Seen(), needs=["a"]),
        Step("c", Seen(), needs=["b"], enabled=False),
    )
    with house(state_url, tmp_path, *steps, leads=False, statuses={"few": "warning"}) as made:
        made.add("good", "few", "bad", "held")

        def script() -> None:
            gate.wait_for(1)
            eventually(lambda: [made.status_of(key, "a") for key in ("good", "few", "bad")] == A_ENDS)
            eventually(lambda: made.status_of("good", "b") == "processed", made.told)
            counts = made.counts()
            assert by_state(counts, "a") == {item_counts.EVER: 3, DONE: 2, FAILED: 1, PROCESSING: 1}
            assert by_state(counts, "b") == {item_counts.EVER: 1, DONE: 1, LEFT_OUT: 1, BLOCKED: 1, WAITING: 1}
            assert by_state(counts, "c") == {READY: 1, LEFT_OUT: 1, BLOCKED: 1, WAITING: 1}
            assert by_state(counts, "") == {OPEN: 2, DONE: 1, FAILED: 1}
            assert [made.share(key) for key in ("good", "few", "bad", "held")] == [2 / 3, 1.0, 0.0, 0.0]
            assert [made.is_blocked(key) for key in ("good", "few", "bad", "held")] == [False, False, True, False]
            made.check_counts()
            gate.open()
            eventually(lambda: made.status_of("held", "b") == "processed", made.told)
            made.check_counts()

        made.go(script)


A_ENDS = ["processed", "few", "failed"]


def test_9_costs_follow_the_work(state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given many items that wait for others, and many that have ended. A daemon without work leaves no run behind. It
    # looks once an hour: what is added in its process begins at once. Then it looks each second, and so finds what
    # another process adds.
    gate = Gate()
    steps = Step("a", lambda item: gate.pass_through(item.key) if item.key == "here" else None), Step(
        "b", Seen(), needs=["a"]
    )
    with house(state_url, tmp_path, *steps, leads=False) as made:
        made.add(*(f"old {number}" for number in range(300)))
        with made.state.begin() as connection:
            waiting = item_steps.c.step == "a"
            connection.execute(
                update(item_steps).where(waiting).values(state=LATER, sort_at=made.now() + timedelta(days=1))
            )
        monkeypatch.setattr(on_demand, "LOOK_SECONDS", 3600.0)

        def script() -> None:
            assert made.daemon is not None and made.runs() == []
            made.add("here")
            gate.wait_for(1)
            gate.open()
            eventually(lambda: made.item("here").state == DONE)

        made.go(script)
        before = len(made.runs())
        monkeypatch.undo()
    with (
        house(state_url, tmp_path, *steps, leads=False) as made,
        house(state_url, tmp_path, *steps, leads=False) as other,
    ):

        def script_of_other() -> None:
            assert len(made.runs()) == before
            new = NewItem("there", "{}", other.now())
            with other.state.begin() as connection:
                item_adding.add(connection, other.pipeline.plan, [new], other.now())
            eventually(lambda: made.item("there").state == DONE)

        made.go(script_of_other)
        assert made.count(items.c.state == DONE) == 2


def test_10_items_that_ended_go_in_their_time(state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given items that may stay for a moment once they have ended, and those with errors for a year. The step's cleanup
    # is called for what each has left.
    monkeypatch.setattr(pruning, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(pruning, "LOOK_SECONDS", 0.1)
    cleaned: dict[str, Any] = {}

    def do(item: Item) -> None:
        item.result = f"file of {item.key}"
        if item.key == "bad":
            raise Rejected("no")

    def cleanup(past: PastItem) -> None:
        cleaned[past.key] = past.result

    options = {"keep_days": 1e-9, "keep_errors_days": 365.0}
    with house(state_url, tmp_path, Step("only", do, cleanup=cleanup), leads=False, **options) as made:
        made.add("a", "b", "bad")

        def is_pruned() -> bool:
            # Else nothing is deleted in the first minute.
            assert made.daemon is not None
            made.daemon._pruning._at = 0.0
            return made.count() == 1

        def script() -> None:
            eventually(is_pruned, made.told)
            made.wait_for_ended(1)

        made.go(script)
        assert cleaned == {"a": "file of a", "b": "file of b"}
        assert made.keys() == ["bad"] and len(made.attempts("bad")) == 1
        with made.state.read() as connection:
            assert connection.execute(select(func.count()).select_from(item_results)).scalar_one() == 0
        assert made.check_counts() == {("only", FAILED, "failed"): 1, ("", FAILED, "failed"): 1}
