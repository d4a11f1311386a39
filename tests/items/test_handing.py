"""What is made ready goes straight to the run that waits for it, and nothing is lost, overtaken or done twice by that.

Given: a daemon whose runs of `a`, `b` and `c` wait for items, or a run in a thread. What happens: items come, one by
one; leases are lost, a commit has no answer, runs end. What must hold: each item is done once at each step, in the
order of its lane; and an item that finds all runs waiting costs one transaction for each step.
"""

import os
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, event, update

from janitor.errors import Rejected, Unavailable
from janitor.items import Item, Step, work
from janitor.items.handing import Handing, Receiver
from janitor.items.work import StepTask
from janitor.runs import Run, current_run
from janitor.state import item_claims
from janitor.state.item_claims import Claimed
from janitor.state.item_counts import Changes
from janitor.state.item_states import DONE, PROCESSING, READY
from janitor.state.tables import leases
from tests.items.house import Gate, House, Seen, house
from tests.small_engine import eventually, lite_state, run_by_hand


def three(seen: Seen) -> list[Step]:
    """Three steps, one after the other."""
    return [Step("a", Seen()), Step("b", seen, needs=["a"]), Step("c", Seen(), needs=["b"])]


def let_runs_wait(made: House) -> None:
    """Let one item through, and wait until the run of each step has found its lane empty."""
    made.add("first")
    made.wait_for_ended(1)
    eventually(lambda: len(made.runner.live) == len(made.pipeline.steps), made.told)
    threading.Event().wait(1.0)  # longer than a run rests between two looks


def test_an_item_costs_one_transaction_for_each_step(state_url: URL, tmp_path: Path) -> None:
    commits: list[str] = []

    def note(connection: Connection) -> None:
        if threading.current_thread().name in ("p.a", "p.b", "p.c", "adds"):
            commits.append(threading.current_thread().name)

    with house(state_url, tmp_path, *three(Seen()), leads=False) as made:

        def script() -> None:
            let_runs_wait(made)
            event.listen(made.state.engine, "commit", note)
            adding = threading.Thread(target=lambda: made.add("k"), name="adds")
            adding.start()
            adding.join()
            made.wait_for_ended(2)
            event.remove(made.state.engine, "commit", note)

        made.go(script)
        assert commits == ["adds", "p.a", "p.b", "p.c"]
        assert [(row.step, row.status) for row in made.attempts("k")] == [(name, "processed") for name in "abc"]
        assert [row.claims for row in made.steps("k").values()] == [1, 1, 1]
        made.check_counts()


def test_nothing_overtakes_what_waits(state_url: URL, tmp_path: Path) -> None:
    # Given a run of b that has one item at work, and room for one more. The others come from a in their order.
    gate, seen = Gate(), Seen()
    seen.do = lambda item: gate.pass_through(item.key) if item.key == "0" else None
    with house(state_url, tmp_path, *three(seen), leads=False) as made:

        def script() -> None:
            let_runs_wait(made)
            for key in "0123456":
                made.add(key)
                eventually(lambda: made.status_of(key, "a") == "processed", made.told)
            made.add("urgent", priority=9)
            eventually(lambda: made.status_of("urgent", "a") == "processed", made.told)
            states = {key: made.steps(key)["b"].state for key in "0123456"}
            assert states["0"] == PROCESSING and states["6"] == READY
            gate.open()
            made.wait_for_ended(9)

        made.go(script)
        others = [key for key in seen.keys if key not in ("first", "urgent")]
        assert others == list("0123456") and seen.keys.index("urgent") < seen.keys.index("4")
        made.check_counts()


def test_a_lane_in_which_others_wait_has_no_room(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, *three(Seen()), leads=False) as made:

        def script() -> None:
            let_runs_wait(made)
            task = made.scheduler.jobs["p.b"].func
            assert isinstance(task, StepTask) and task._work is not None
            own = task._work
            assert own._room(0) > 0 and own._room(500) == 0
            own._place.step_back((0, made.now()))  # as if others were made ready, and not looked for yet
            assert own._room(0) == 0

        made.go(script)


def test_whose_lease_is_lost_is_handed_nothing(state_url: URL, tmp_path: Path) -> None:
    # Given the run of b has lost its lease, and does not know it yet, as an item ends at a.
    with house(state_url, tmp_path, *three(Seen()), leads=False) as made:

        def script() -> None:
            let_runs_wait(made)
            past = made.now() - timedelta(hours=1)
            with made.state.begin() as connection:
                own = leases.c.name.like("%p.b")
                lost = update(leases).where(own).values(token=leases.c.token + 1, holder="other", expires_at=past)
                assert connection.execute(lost).rowcount == 1
            made.add("k")
            eventually(lambda: made.status_of("k", "a") == "processed", made.told)
            made.wait_for_ended(2)

        made.go(script)
        assert [(row.step, row.status) for row in made.attempts("k")] == [(name, "processed") for name in "abc"]
        made.check_counts()


def test_a_commit_without_an_answer_loses_nothing(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a transaction of a that hands an item on to b. It is committed, and whoever did it is told that it may not
    # be. So nobody knows that b has the item: its run ends, and the next one gives it back.
    monkeypatch.setattr(work, "LINGER_SECONDS", 3600.0)
    lost: list[str] = []

    def lose(connection: Connection) -> None:
        if threading.current_thread().name == "p.a" and not lost:
            lost.append("p.a")
            connection.connection.driver_connection.commit()  # type: ignore[union-attr]
            raise Unavailable("the connection was lost at a commit")

    with house(state_url, tmp_path, *three(Seen()), leads=False) as made:

        def script() -> None:
            let_runs_wait(made)
            event.listen(made.state.engine, "commit", lose)
            made.add("k")
            made.wait_for_ended(2)

        made.go(script)
        assert lost == ["p.a"]
        attempts = [(row.step, row.status) for row in made.attempts("k")]
        assert attempts == [("a", "processed"), ("b", "interrupted"), ("b", "processed"), ("c", "processed")]
        assert made.steps("k")["b"].deaths == 0
        made.check_counts()


def test_what_is_handed_on_has_the_results_of_before(state_url: URL, tmp_path: Path) -> None:
    def make(item: Item) -> None:
        item.result = {"n": item.args["n"]}

    def use(item: Item) -> None:
        item.result = item.results["a"]["n"] + 1

    steps = [Step("a", make), Step("b", use, needs=["a"]), Step("c", use, needs=["a"])]
    with house(state_url, tmp_path, *steps, leads=False) as made:

        def script() -> None:
            made.add("first", args={"n": 0})
            made.wait_for_ended(1)
            made.add("k", args={"n": 5})
            made.wait_for_ended(2)

        made.go(script)
        assert made.results("k") == {"a": {"n": 5}, "b": 6, "c": 6}
        made.check_counts()


class Desk:
    """A receiver of a run that goes on, with so much room, and what it was told."""

    def __init__(self, made: House, run: Run, room: int) -> None:
        self.made, self.told = made, 0
        step = made.pipeline.steps[0]
        self.receiver = Receiver(made.state, "p", step, run, lambda promised: room - promised, self._tell)

    def _tell(self) -> None:
        self.told += 1

    def take(self, handing: Handing, *keys: str) -> None:
        """Hand items on, in a transaction."""
        made, changes = self.made, Changes("p")
        with made.state.begin(*handing.fences) as connection:
            ids = [made.item(key).id for key in keys]
            handing.take(connection, made.pipeline.plan, made.now(), {"only": ids}, changes)
            changes.write(connection)

    def states(self, *keys: str) -> list[int]:
        """The states of items at the step."""
        return [self.made.steps(key)["only"].state for key in keys]


def in_a_run(tmp_path: Path, do: Callable[[Desk], object], room: int = 3) -> None:
    """Do something with the receiver of a run that goes on."""
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:
        made.add("a", "b", "c", "d")

        def task() -> None:
            desk = Desk(made, current_run(), room)
            desk.receiver.open()
            try:
                do(desk)
            finally:
                desk.receiver.close()

        assert run_by_hand(made.runner, task, id="p.only")[1].outcome == "succeeded"
        made.check_counts()


def test_there_is_room_for_what_is_promised_alone(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        receiver = desk.receiver
        assert receiver.promise(2) and not receiver.promise(2) and receiver.promise(1)
        receiver.keep(2, ())
        assert receiver.promise(2) and not receiver.promise(1)
        receiver.keep(3, ())
        with Handing.of_added(desk.made.state, "p", 1) as handing:
            desk.take(handing, "a")
            handing.done()
        # What has come takes room, too, until the run has it.
        assert not receiver.promise(3) and receiver.promise(2)
        receiver.keep(2, ())
        assert [one.key for one in receiver.handed()] == ["a"] and receiver.handed() == ()
        assert desk.told == 1 and desk.states("a", "b") == [PROCESSING, READY]

    in_a_run(tmp_path, do)


def test_what_is_more_than_promised_goes_through_the_lane(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        with Handing.after(desk.made.state, "p", None, 2) as handing:
            desk.take(handing, "a", "b", "c")
            handing.done()
        assert desk.receiver.handed() == () and desk.states("a", "b", "c") == [READY] * 3

    in_a_run(tmp_path, do)


def test_only_the_runs_that_come_next_are_asked(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        state = desk.made.state
        with closing(type(state)(lite_state(tmp_path / "other.db"))) as other:
            fits = desk.receiver.fits
            assert fits(state, "p", None)
            assert not fits(other, "p", None) and not fits(state, "q", None) and not fits(state, "p", "only")
        assert Handing.after(state, "p", None, 1).fences == tuple(desk.receiver.run.fences.values()) != ()
        assert Handing.of_added(state, "p", 2).fences == () and Handing.after(state, "p", None, 0).fences == ()

    in_a_run(tmp_path, do)


def test_a_forked_child_hands_nothing_on(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        child = os.fork()
        if not child:
            os._exit(7 if desk.receiver.fits(desk.made.state, "p", None) else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    in_a_run(tmp_path, do)


def test_a_transaction_that_fails_hands_nothing_on(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        with pytest.raises(Rejected), Handing.after(desk.made.state, "p", None, 1) as handing:
            with desk.made.state.begin() as connection:
                ids = {"only": [desk.made.item("a").id]}
                handing.take(connection, desk.made.pipeline.plan, desk.made.now(), ids, Changes("p"))
                raise Rejected("no")
        assert desk.receiver.handed() == () and desk.states("a") == [READY]
        # Nobody can say what became of it: so the run ends, and what it may hold goes back.
        assert desk.receiver.is_in_doubt and desk.told == 1 and desk.receiver.promise(3)
        desk.receiver.keep(3, ())

    in_a_run(tmp_path, do)


def test_a_run_that_ends_waits_for_what_it_has_promised(tmp_path: Path) -> None:
    def do(desk: Desk) -> None:
        found: list[Any] = []
        handing = Handing.after(desk.made.state, "p", None, 2)
        closing_it = threading.Thread(target=lambda: found.extend(desk.receiver.close()))
        closing_it.start()
        eventually(lambda: not desk.receiver.promise(1))  # the door is shut
        desk.take(handing, "b", "a")
        handing.done()
        closing_it.join(30)
        assert [one.key for one in found] == ["a", "b"], "in the order of the lane"
        assert not Handing.after(desk.made.state, "p", None, 1).fences, "nobody finds it any more"
        give_back(desk, found)

    in_a_run(tmp_path, do)


def give_back(desk: Desk, claimed: list[Claimed]) -> None:
    """Let a run's items go."""
    made = desk.made
    with made.state.begin() as connection:
        claims = {one.id: one.claim for one in claimed}
        item_claims.let_go(connection, made.pipeline.plan, "only", claims, made.now())
    assert desk.states("a", "b") == [READY, READY] and DONE not in desk.states("c", "d")
