"""What becomes of what a run holds: as it is stopped, paused or dead, and if people act meanwhile."""

import math
from pathlib import Path

import pytest
from sqlalchemy import URL, update

from janitor.errors import Cancelled, Unavailable
from janitor.items import Item, Step
from janitor.items.work import StepTask
from janitor.jobs.job import Isolation
from janitor.runs import Outcome, current_run
from janitor.state import item_acts, item_claims, item_plans, job_records, run_records
from janitor.state.item_counts import Changes
from janitor.state.item_states import PROCESSING, READY
from janitor.state.item_tables import item_steps
from janitor.state.run_records import Ending
from tests.daemons import daemons
from tests.items.house import KEYS, Gate, House, Seen, house, in_a_thread, live_run, succeeded
from tests.items.item_daemon import STEPS
from tests.small_engine import eventually, lite_state


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
        live_run(made).ask_to_stop(Cancelled("eva said so"))
        wait()
        assert [(row.outcome, row.reason) for row in made.runs()] == [("cancelled", "eva said so")]
        rows = [made.steps(key)["only"] for key in KEYS[:5]]
        assert {(row.state, row.status, row.tries, row.deaths) for row in rows} == {(READY, "not processed", 0, 0)}
        assert len(made.attempts("0")) == 1
        told = {(one.status, one.reason) for key in KEYS[:5] for one in made.attempts(key)}
        assert told == {("interrupted", "eva said so")}
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
            eventually(lambda: made.status("1") == "processing")
            with made.state.begin() as connection:
                job_records.pause(connection, "p.only", "with work", made.now(), "eva")
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


def hold(made: House, *keys: str) -> None:
    """Let a run have held items, whose process has died."""
    with made.state.begin() as connection:
        at, changes = made.now(), Changes("p")
        run_id: int = run_records.start(connection, "p.only", "work", None, at, False, "gone")
        ids = [made.item(key).id for key in keys]
        assert item_claims.take(connection, made.pipeline.plan, "only", run_id, ids, at, changes)
        changes.write(connection)
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
                eventually(lambda: set(seen.keys) >= set(KEYS[1:4]))
            gate.open()
            made.wait_for_ended(4)

        made.go(script)
        assert sorted(seen.keys) == KEYS[:4] and sorted(gate.at) == KEYS[:4]


def test_a_run_ends_whose_step_is_gone(tmp_path: Path) -> None:
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key)
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", seen)) as made:
        made.add(*KEYS[:3])
        wait = in_a_thread(lambda: succeeded(made.do("a")))
        gate.wait_for(1)
        eventually(lambda: made.status("1") == "processing")
        with made.state.begin() as connection:
            plan = item_plans.Plan("p", (item_plans.PlannedStep("other", {}),), made.pipeline.plan.kinds)
            item_plans.save(connection, plan)
        eventually(lambda: made.status("1") == "not processed")
        gate.open()
        wait()
        assert seen.keys == ["0"]


@pytest.mark.slow
def test_what_a_daemon_held_as_it_was_stopped_is_done_by_the_next(state_url: URL, tmp_path: Path) -> None:
    # Given an item at work as its daemon is stopped in order, three times. It counts no try, and no death.
    done, ledger = tmp_path / "done", tmp_path / "ledger"
    with house(state_url, tmp_path, *STEPS, leads=False) as made:
        made.add("slow")
        with daemons("tests.items.item_daemon", tmp_path, LEDGER=str(ledger), DONE=str(done)) as start:
            for number in range(1, 4):
                daemon = start(state_url, f"daemon{number}")
                eventually(lambda: ledger.exists() and ledger.read_text("utf-8").count("pack slow") == number)
                assert daemon.end() == 0
                assert made.steps("slow")["pack"].state == READY
            done.touch()
            daemon = start(state_url, "last")
            made.wait_for_ended(1)
            daemon.end()
        assert made.statuses("slow") == {"pack": "processed", "ship": "processed"}
        row = made.steps("slow")["pack"]
        assert (row.tries, row.deaths) == (1, 0)
        assert [one.status for one in made.attempts("slow", "pack")] == ["interrupted"] * 3 + ["processed"]
        made.check_counts()


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_nothing_more_is_begun_once_a_lease_may_be_lost(tmp_path: Path, isolation: Isolation) -> None:
    # Given a run with an item at work and others that wait for a worker, as its process was frozen for so long that
    # another daemon may lead. It begins none of the others: that one does them.
    begun = tmp_path / "begun"

    def lost() -> bool:
        raise Unavailable("another daemon may have taken over")

    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", note_and_wait, isolation=isolation)) as made:
        made.add(*KEYS[:3], args={"begun": str(begun), "go": str(tmp_path / "go")})
        wait = in_a_thread(lambda: made.do("only"))
        eventually(lambda: begun.exists() and made.statuses(KEYS[1]) == {"only": "processing"})
        live_run(made).guard = lost
        (tmp_path / "go").touch()
        wait()
        assert begun.read_text(encoding="ascii").split() == [KEYS[0]]
        assert [row.outcome for row in made.runs("only")] == ["failed"]


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_an_item_fails_not_because_a_lease_may_be_lost(tmp_path: Path, isolation: Isolation) -> None:
    # Given an item at work as the leases could not be renewed for a while: on a busy machine, say. The lease still
    # stands as the end is recorded. The item goes back, and nothing is counted.
    begun = tmp_path / "begun"
    with house(
        lite_state(tmp_path / "s.db"), tmp_path, Step("only", comes_to_safe_points, isolation=isolation)
    ) as made:
        made.add("k", args={"begun": str(begun)})
        wait = in_a_thread(lambda: made.do("only"))
        eventually(begun.exists)
        vars(made.runner.renewal)["_valid_until"] = -math.inf
        wait()
        row = made.steps("k")["only"]
        assert (row.state, row.status, row.tries, row.deaths) == (READY, "not processed", 0, 0)
        assert [one.status for one in made.attempts("k")] == ["interrupted"]
        made.check_counts()


def comes_to_safe_points(item: Item) -> None:
    """Come to a safe point again and again, for a minute."""
    Path(item.args["begun"]).touch()
    for _ in range(3_000):
        current_run().sleep(0.02)


def note_and_wait(item: Item) -> None:
    """Note that an item is begun, and wait for a file to come."""
    with open(item.args["begun"], "a", encoding="ascii") as file:
        file.write(f"{item.key}\n")
    while not Path(item.args["go"]).exists():
        current_run().stop.wait(0.02)
