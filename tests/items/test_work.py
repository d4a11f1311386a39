"""A run of a step: what it takes and in which order, what it records, and what becomes of what it holds."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, update

from janitor.errors import Cancelled
from janitor.items import Item, Pipeline, Step, add
from janitor.items.work import StepTask
from janitor.runs import Outcome, current_run
from janitor.state import item_acts, item_plans, job_records, run_records
from janitor.state.item_states import DONE, FAILED, LATER, PROCESSING, READY, WAITING
from janitor.state.item_tables import item_steps
from janitor.state.run_records import Ending
from tests.items.house import Gate, House, house, succeeded
from tests.small_engine import eventually, lite_state

KEYS = [str(number) for number in range(40)]


class Seen:
    """The keys of the items that came, in their order; items may be told what to do."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.do: Callable[[Item], Any] = lambda item: None

    def __call__(self, item: Item) -> Any:
        self.keys.append(item.key)
        return self.do(item)


def in_a_thread(do: Callable[[], object]) -> Callable[[], None]:
    """Begin something in a thread; what is given waits for its end, and raises what it raised."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            do()
        except BaseException as exc:
            raised.append(exc)

    thread = threading.Thread(target=work)
    thread.start()

    def wait() -> None:
        thread.join(60)
        assert not thread.is_alive()
        if raised:
            raise raised[0]

    return wait


def live(made: House) -> Any:
    """The run that goes on."""
    return eventually(lambda: next(iter(list(made.runner.live.values())), None)).run


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


@pytest.mark.parametrize("act", ["reset", "drop", "retry"])
def test_what_was_put_back_meanwhile_is_not_recorded(state_url: URL, tmp_path: Path, act: str) -> None:
    # Given an item that is reset, or dropped, while a worker is at it. After a reset the same run takes it again, while
    # the first try still goes on; what the first try brings is dropped. A retry leaves what goes on alone.
    gate, seen = Gate(), Seen()

    def do(item: Item) -> None:
        item.result = len(seen.keys)
        if item.key == "k" and item.result == 1:
            gate.pass_through(item.key)

    seen.do = do
    with house(state_url, tmp_path, Step("only", seen, workers=2)) as made:
        made.add("k", "other")
        wait = in_a_thread(lambda: succeeded(made.do("only")))
        gate.wait_for(1)
        item = made.item("k").id
        with made.state.begin() as connection:
            if act == "drop":
                item_acts.drop(connection, made.pipeline.plan, [item])
            elif act == "reset":
                item_acts.reset(connection, made.pipeline.plan, [item], "only", made.now())
            else:
                item_acts.retry(connection, made.pipeline.plan, [item], made.now())
        if act == "reset":
            eventually(lambda: made.status("k") == "processed")
            second = made.results("k")["only"]
            assert second > 1
        gate.open()
        wait()
        if act == "drop":
            assert made.count() == 1
        else:
            assert made.results("k")["only"] == (second if act == "reset" else 1)
            assert [one.status for one in made.attempts("k")] == ["processed"] and len(made.attempts("other")) == 1
            assert made.steps("k")["only"].claims == (2 if act == "reset" else 1)
        made.check_counts()


def test_what_a_run_holds_as_it_is_stopped_goes_back(state_url: URL, tmp_path: Path) -> None:
    # Given one item at work, which comes to safe points, and others that wait for it.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key, current_run().check)
    with house(state_url, tmp_path, Step("only", seen, retries=3)) as made:
        made.add(*KEYS[:5])
        wait = in_a_thread(lambda: made.do("only"))
        gate.wait_for(1)
        live(made).ask_to_stop(Cancelled("eva said so"))
        wait()
        assert [(row.outcome, row.reason) for row in made.runs()] == [("cancelled", "eva said so")]
        rows = [made.steps(key)["only"] for key in KEYS[:5]]
        assert {(row.state, row.status, row.tries, row.deaths) for row in rows} == {(READY, "not processed", 0, 0)}
        assert [(one.status, one.reason) for one in made.attempts("0")] == [("interrupted", "eva said so")]
        assert all(made.attempts(key) == [] for key in KEYS[1:5])
        made.check_counts()
        gate.open()
        assert succeeded(made.do("only")) == {"processed": 5}


def test_a_run_that_holds_nothing_ends_well_as_the_daemon_stops(tmp_path: Path) -> None:
    # Given a run that has done all, and waits for more.
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen()), leads=False) as made:
        made.add("k")
        made.go(lambda: eventually(lambda: made.count() and made.status("k") == "processed"))
        assert [(row.outcome, row.counts) for row in made.runs()] == [("succeeded", '{"processed": 1}')]


def test_what_is_done_is_recorded_as_a_run_ends_that_waits_for_others(tmp_path: Path) -> None:
    # Given two workers, of which one has done its item and the other goes on while the run is asked to end.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key) if item.key == "long" else None
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", seen, workers=2, record="each")) as made:
        made.add("long", "short", "a", "b")
        task = made.scheduler.jobs["p.only"].func
        assert isinstance(task, StepTask)
        wait = in_a_thread(lambda: succeeded(made.do("only")))
        gate.wait_for(1)
        task.wind_up()
        eventually(lambda: made.status("short") == "processed")
        assert made.status("long") == "processing"
        gate.open()
        wait()
        assert made.status("long") == "processed" and set(seen.keys) >= {"long", "short"}
        assert all(made.status(key) in ("processed", "not processed") for key in "ab")
        made.check_counts()
        task.wind_up()  # no run goes on
        succeeded(made.do("only"))
        assert all(made.status(key) == "processed" for key in "ab")


def test_a_step_that_is_paused_takes_nothing_more(state_url: URL, tmp_path: Path) -> None:
    # Given a run of a daemon with one item at work. A pause lets it end that one, and gives all others back.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    with house(state_url, tmp_path, Step("only", seen), leads=False) as made:
        made.add(*KEYS[:5])

        def script() -> None:
            gate.wait_for(1)
            with made.state.begin() as connection:
                job_records.pause(connection, "p.only", "eva", made.now())
            eventually(lambda: made.status("1") == "not processed")
            gate.open()
            eventually(lambda: [row.outcome for row in made.runs()] == ["succeeded"])

        made.go(script)
        assert [made.status(key) for key in KEYS[:5]] == ["processed", *["not processed"] * 4]
        made.check_counts()
        # A person may run it all the same.
        assert seen.keys == ["0"]
        with house(state_url, tmp_path, Step("only", seen)) as again:
            assert succeeded(again.do("only")) == {"processed": 4}


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
    # Given a step with an item at work. Another item's time is over meanwhile, at a step that nobody runs.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    steps = Step("only", seen), Step("other", Seen())
    with house(state_url, tmp_path, *steps) as made:
        made.add("long", expires_at=made.now() + timedelta(days=1))
        wait = in_a_thread(lambda: made.do("only"))
        gate.wait_for(1)
        made.add("late", expires_at=made.now())
        eventually(lambda: made.item("late").state == FAILED)
        assert made.statuses("late") == {"only": "expired", "other": "expired"}
        gate.open()
        wait()
        assert seen.keys == ["long"]
        made.check_counts()


def test_what_a_dead_run_held_is_done_by_the_next(state_url: URL, tmp_path: Path) -> None:
    # Given ten items that a run held whose process has died, and four more. Nobody knows of which item it died.
    seen, held_with = Seen(), list[set[str]]()
    with house(state_url, tmp_path, Step("only", seen, workers=4)) as made:

        def look(item: Item) -> None:
            held = {key for key in KEYS[:14] if made.steps(key)["only"].state == PROCESSING}
            if made.steps(item.key)["only"].deaths:
                held_with.append(held)

        seen.do = look
        made.add(*KEYS[:14])
        hold(made, *KEYS[:10])
        assert succeeded(made.do("only")) == {"processed": 14}
        assert sorted(seen.keys) == sorted(KEYS[:14])
        # What may have been the cause is done alone.
        assert len(held_with) == 10 and all(len(one) == 1 for one in held_with)
        assert [one.status for one in made.attempts("3")] == ["interrupted", "processed"]
        assert all(made.steps(key)["only"].deaths == (1 if int(key) < 10 else 0) for key in KEYS[:14])
        made.check_counts()


def hold(made: House, *keys: str, times: int = 1) -> None:
    """Let runs have held items, each of which has died."""
    for _ in range(times):
        with made.state.begin() as connection:
            at = made.now()
            run_id: int = run_records.start(connection, "p.only", "work", None, at, False, "gone")
            values = {"state": PROCESSING, "status": "processing", "run_id": run_id}
            ids = [made.item(key).id for key in keys]
            claimed = {**values, "claims": item_steps.c.claims + 1}
            connection.execute(update(item_steps).where(item_steps.c.item_id.in_(ids)).values(claimed))
            run_records.finish(connection, run_id, Ending(Outcome.INTERRUPTED, "gone", at, 1.0))


def test_an_item_of_which_three_runs_have_died_has_failed(tmp_path: Path) -> None:
    seen = Seen()
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", seen, failed="deadly"), statuses={}) as made:
        made.add("deadly", "innocent")
        with made.state.begin() as connection:
            own = item_steps.c.item_id == made.item("deadly").id
            connection.execute(update(item_steps).where(own).values(deaths=2))
        hold(made, "deadly", "innocent")
        assert succeeded(made.do("only")) == {"processed": 1}
        assert seen.keys == ["innocent"] and made.status("deadly") == "deadly"
        assert made.attempts("deadly")[0].reason == "its process ended before it was done, 3 of 3"


def test_a_suspect_of_another_step_is_let_pass(tmp_path: Path) -> None:
    # Given two steps, each with a suspect. While one is at work, the other step does all else that it has.
    gate, seen = Gate(), Seen()
    steps = Step("one", lambda item: gate.pass_through(item.key)), Step("two", seen)
    with house(lite_state(tmp_path / "s.db"), tmp_path, *steps, leads=False) as made:
        made.add(*KEYS[:4])
        with made.state.begin() as connection:
            own = item_steps.c.item_id == made.item("0").id
            connection.execute(update(item_steps).where(own).values(deaths=1))

        def script() -> None:
            gate.wait_for(1)
            if gate.at == ["0"]:
                eventually(lambda: sorted(seen.keys) == KEYS[1:4])
            gate.open()
            made.wait_for_ended(4)

        made.go(script)
        assert sorted(seen.keys) == KEYS[:4] and sorted(gate.at) == KEYS[:4]


def test_a_run_goes_by_the_plan_of_now(tmp_path: Path) -> None:
    # Given a run with an item at work. The pipeline gets another step behind it meanwhile, in another process.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    url = lite_state(tmp_path / "s.db")
    with house(url, tmp_path, Step("a", seen)) as made:
        made.add("k")
        wait = in_a_thread(lambda: made.do("a"))
        gate.wait_for(1)
        with house(url, tmp_path, Step("a", seen), Step("b", Seen(), needs=["a"])) as newer:
            plan = newer.pipeline.plan
            with newer.state.begin() as connection:
                assert item_plans.save(connection, plan)
            newer.add("new")
            eventually(lambda: "new" in gate.at or made.count() == 2)
            assert newer.steps("new")["b"].state == WAITING
        gate.open()
        wait()
        eventually(lambda: made.steps("new")["a"].state in (DONE, READY))
        if made.steps("new")["a"].state == DONE:
            assert made.steps("new")["b"].state == READY


def test_a_run_ends_whose_step_is_gone(tmp_path: Path) -> None:
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", seen)) as made:
        made.add(*KEYS[:3])
        wait = in_a_thread(lambda: succeeded(made.do("a")))
        gate.wait_for(1)
        with made.state.begin() as connection:
            plan = item_plans.Plan("p", (item_plans.PlannedStep("other", {}),), made.pipeline.plan.kinds)
            item_plans.save(connection, plan)
        eventually(lambda: [made.steps(key)["a"].state for key in KEYS[1:3]] == [READY, READY])
        gate.open()
        wait()
        assert seen.keys == ["0"]


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
