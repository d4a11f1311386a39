"""A run of a step: what it takes, in which order, and what it records."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.items import Item, Pipeline, Step, add, work
from janitor.items.work import StepTask
from janitor.runs import Outcome
from janitor.state import item_counts, item_fitting, item_plans, job_records
from janitor.state.item_states import DONE, FAILED, LATER, READY
from tests.items.house import KEYS, Gate, Seen, house, in_a_thread, succeeded
from tests.small_engine import eventually, lite_state, run_by_hand


def test_items_are_done_in_their_order(state_url: URL, tmp_path: Path) -> None:
    # Given items with priorities, moments, and ties, which are added in another order.
    seen = Seen()
    with house(state_url, tmp_path, Step("only", seen)) as made:
        at = made.now()
        wanted = [
            ("urgent", 5, 3),
            ("old", 0, -9),
            *((f"tie {n}", 0, 0) for n in range(9)),
            ("new", 0, 9),
            ("low", -1, 0),
        ]
        for key, priority, seconds in sorted(wanted, key=lambda one: (one[0][:3] != "tie", one[0])):
            made.add(key, priority=priority, order_at=at + timedelta(seconds=seconds))
        assert succeeded(made.do("only")) == {"processed": len(wanted)}
        assert seen.keys == [key for key, _, _ in wanted]
        made.check_counts()


def test_a_run_by_hand_ends_once_nothing_is_left(state_url: URL, tmp_path: Path) -> None:
    # Given items that a step adds behind itself, one for each, three times.
    seen = Seen()

    def adds(item: Item) -> None:
        if item.args["n"]:
            add("p", f"{item.key}+", n=item.args["n"] - 1)

    with house(state_url, tmp_path, Step("only", seen)) as made:
        assert succeeded(made.do("only")) == {}
        seen.do = adds
        made.add("a", "b", args={"n": 3})
        assert succeeded(made.do("only")) == {"processed": 8}
        assert sorted(seen.keys) == ["a", "a+", "a++", "a+++", "b", "b+", "b++", "b+++"]
        made.check_counts()


def test_what_a_step_leaves_is_there_for_the_next(state_url: URL, tmp_path: Path) -> None:
    def first(item: Item) -> None:
        item.result = {"n": item.args["n"] * 10}

    def second(item: Item) -> str | None:
        item.result = item.results["first"]["n"] + 1
        assert list(item.results) == ["first"] and len(item.results) == 1
        return "few" if item.args["n"] == 2 else None

    def third(item: Item) -> None:
        item.result = dict(item.results)

    steps = Step("first", first), Step("second", second, needs=["first"]), Step("third", third, needs={"second": "few"})
    with house(state_url, tmp_path, *steps, statuses={"few": "warning"}) as made:
        for number in (1, 2):
            made.add(f"k{number}", args={"n": number})
        made.do_all()
        assert made.statuses("k1") == {"first": "processed", "second": "processed", "third": "not processed"}
        assert made.results("k2")["third"] == {"first": {"n": 20}, "second": 21}
        assert (made.item("k1").state, made.item("k2").state) == (DONE, DONE)
        made.check_counts()


def test_nothing_is_done_in_a_dry_run(tmp_path: Path) -> None:
    seen = Seen()
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", seen)) as made:
        made.add("k")
        ending = made.do("only", dry_run=True)
        assert (ending.outcome, ending.reason) == (Outcome.SKIPPED, "a step takes no items in a dry run")
        assert seen.keys == [] and made.steps("k")["only"].claims == 0


def test_many_are_at_work_at_the_same_time(tmp_path: Path) -> None:
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", seen, workers=4)) as made:
        made.add(*KEYS)
        wait = in_a_thread(lambda: succeeded(made.do("only")))
        assert len(set(gate.wait_for(4))) == 4
        assert len(seen.keys) == 4
        gate.open()
        wait()
        assert sorted(seen.keys) == sorted(KEYS) and made.count() == 40
        assert made.check_counts()["only", DONE, "processed"] == 40


def test_each_item_is_on_record_before_the_next_begins(state_url: URL, tmp_path: Path) -> None:
    seen = Seen()
    with house(state_url, tmp_path, Step("only", seen, record="each")) as made:

        def look_back(item: Item) -> None:
            for key in seen.keys[:-1]:
                assert made.status(key) == "processed" and len(made.attempts(key)) == 1

        seen.do = look_back
        made.add(*KEYS[:12])
        assert succeeded(made.do("only")) == {"processed": 12}
        made.check_counts()


def test_a_run_over_its_time_gives_back_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a run that holds many items, of which one is at work as its time is over. That one ends in order, and what
    # was not begun goes back: it is no business of the job's time limit, which would cut an item off.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", seen)) as made:
        monkeypatch.setattr(work, "RUN_SECONDS", 0.5)
        made.add(*KEYS)
        wait = in_a_thread(lambda: succeeded(made.do("only")))
        gate.wait_for(1)
        time.sleep(0.7)  # its time is over
        eventually(lambda: item_counts.by_state(made.counts(), "only")[READY] == 39)
        gate.open()
        wait()
        assert len(seen.keys) == 1 and made.check_counts()["only", DONE, "processed"] == 1
        assert [one.status for one in made.attempts(seen.keys[0])] == ["processed"]


def test_a_try_is_repeated_in_the_run_that_waits(state_url: URL, tmp_path: Path) -> None:
    # Given an item that fails at first. Its moment comes while the run of a daemon waits for more.
    seen = Seen()

    def do(item: Item) -> None:
        assert item.attempt == len(seen.keys)
        if item.attempt < 2:
            raise ValueError("not yet")

    seen.do = do
    with house(state_url, tmp_path, Step("only", seen, retries=2), leads=False) as made:
        made.add("k")
        made.go_until_ended(1)
        assert [(one.status, one.run_id) for one in made.attempts("k")] == [
            ("failed", made.runs()[0].id),
            ("processed", made.runs()[0].id),
        ]
        assert made.steps("k")["only"].tries == 2 and made.item("k").state == DONE
        made.check_counts()


def test_items_past_their_time_end_while_a_run_goes_on(state_url: URL, tmp_path: Path) -> None:
    # Given a step with an item at work. Another item's time is over meanwhile: it ends at a step that nobody runs, and
    # is not begun once it comes to its turn.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    steps = Step("only", seen), Step("other", Seen())
    with house(state_url, tmp_path, *steps) as made:
        made.add("long", expires_at=made.now() + timedelta(days=1))
        wait = in_a_thread(lambda: made.do("only"))
        gate.wait_for(1)
        made.add("late", expires_at=made.now())
        eventually(lambda: made.statuses("late")["other"] == "expired")
        gate.open()
        wait()
        assert made.statuses("late") == {"only": "expired", "other": "expired"} and made.item("late").state == FAILED
        assert seen.keys == ["long"]
        made.check_counts()


def test_a_run_goes_by_the_plan_of_now(tmp_path: Path) -> None:
    # Given a run with an item at work. The pipeline gets another step behind it meanwhile, in another process. As soon
    # as the run has looked around, which an item past its time tells, it goes by the new plan.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    url, steps = lite_state(tmp_path / "s.db"), (Step("a", seen), Step("c", Seen()))
    with house(url, tmp_path, *steps) as made:
        made.add("k")
        wait = in_a_thread(lambda: made.do("a"))
        gate.wait_for(1)
        with house(url, tmp_path, *steps, Step("b", Seen(), needs=["a"])) as newer:
            with newer.state.begin() as connection:
                assert item_plans.save(connection, newer.pipeline.plan)
            newer.add("new")
            newer.add("late", expires_at=newer.now())
            eventually(lambda: newer.statuses("late")["c"] == "expired")
            gate.open()
            wait()
            assert newer.status_of("new", "a") == "processed" and newer.steps("new")["b"].state == READY
            newer.check_counts()


def test_a_run_that_winds_up_goes_by_the_plan_of_now(tmp_path: Path) -> None:
    # Given a run that is to take nothing more, as its pipeline gets another step, and an item that it has at work for
    # longer than open items are fitted. What must hold: the new step is begun once the item comes to it.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    url = lite_state(tmp_path / "s.db")
    with house(url, tmp_path, Step("a", seen)) as made:
        made.add("k")
        task = StepTask(made.pipeline, made.pipeline.steps[0])
        wait = in_a_thread(lambda: run_by_hand(made.runner, task, id="p.a"))
        gate.wait_for(1)
        task.wind_up()
        with house(url, tmp_path, Step("a", seen), Step("b", Seen(), needs=["a"])) as newer:
            with newer.state.begin() as connection:
                assert item_plans.save(connection, newer.pipeline.plan)
                item_fitting.fit(connection, newer.pipeline.plan, 0, newer.now())
            assert newer.statuses("k") == {"a": "processing", "b": "not processed"}
            time.sleep(0.2)  # so long that the run is leaving
            gate.open()
            wait()
            assert newer.status_of("k", "a") == "processed" and newer.steps("k")["b"].state == READY
            newer.check_counts()


def test_a_moment_of_another_try_waits_though_others_are_done(tmp_path: Path) -> None:
    def do(item: Item) -> None:
        if item.key == "7":
            raise ValueError("not yet")

    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", do, retries=1)) as made:
        made.add(*KEYS)
        counts = succeeded(made.do("only"))
        assert counts == {"processed": 39, "failed": 1} and made.steps("7")["only"].state == LATER
        made.check_counts()


def test_a_task_bears_the_name_of_its_step() -> None:
    def match(item: Item) -> None:
        """Find the galaxy."""

    step = Step("host_match", match)
    task = StepTask(Pipeline("p", [step]), step)
    assert (task.__name__, task.__doc__, task.__module__) == ("host_match", "Find the galaxy.", __name__)


def test_a_run_that_a_person_began_goes_on_though_its_step_is_paused(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a paused step that a person runs. While its first item is at work the run looks at what has changed.
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.05)
    gate = Gate()
    with house(state_url, tmp_path, Step("only", lambda item: gate.pass_through(item.key))) as made:
        made.add(*KEYS[:5])
        with made.state.begin() as connection:
            job_records.pause(connection, "p.only", "with work", made.now(), "eva")
        wait = in_a_thread(lambda: made.do("only"))
        gate.wait_for(1)
        threading.Event().wait(0.3)
        gate.open()
        wait()
        assert [made.status(key) for key in KEYS[:5]] == ["processed"] * 5
        assert [row.outcome for row in made.runs("only")] == ["succeeded"]
