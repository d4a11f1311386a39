"""Care of items: plans are kept, open items fitted, counts summed up, and what nobody runs is put right."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, func, select, update

from janitor.engine import item_care
from janitor.engine.item_care import ItemCare
from janitor.errors import Fenced
from janitor.items import Step
from janitor.runs import Fence, Outcome
from janitor.scheduler import Scheduler
from janitor.state import item_adding, item_claims, item_counts, item_plans, run_records
from janitor.state.item_adding import NewItem
from janitor.state.item_counts import MOST_ROWS, Changes
from janitor.state.item_states import FAILED, LATER
from janitor.state.item_tables import item_counts as count_rows
from janitor.state.item_tables import item_pipelines, item_snapshots, item_steps
from janitor.state.run_records import Ending
from tests.items.house import House, Seen, house
from tests.small_engine import lite_state

A = Step("a", Seen())
B = Step("b", Seen(), needs=["a"])
OFF = Step("off", Seen(), enabled=False, failed="deadly")


def care(made: House) -> ItemCare:
    return ItemCare(made.scheduler.jobs, made.runner)


def fence(made: House) -> Fence:
    found = made.runner.lead.fence
    assert found is not None
    return found


def unfitted(made: House) -> list[str]:
    with made.state.read() as connection:
        return item_plans.unfitted(connection)


def rows(made: House, table: Any) -> int:
    with made.state.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def take(made: House, step: str, key: str, run_id: int = 7) -> int:
    with made.state.begin() as connection:
        changes = Changes("p")
        plan = made.pipeline.plan
        [found] = item_claims.take(connection, plan, step, run_id, [made.item(key).id], made.now(), changes)
        changes.write(connection)
    return found.claim


def test_the_plan_of_each_pipeline_is_kept(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, A) as made:
        made.scheduler.add_pipeline("q", [A, B])
        care(made).keep_plans()
        with made.state.read() as connection:
            assert item_plans.names(connection) == ["p", "q"]
            found = item_plans.load(connection, "q")
        assert found is not None and [step.name for step in found.steps] == ["a", "b"]
        assert unfitted(made) == []


def test_open_items_are_fitted_to_a_changed_plan_twice(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given open items, and a pipeline that has got one more step, and lost another. What a process adds by the plan of
    # before, just after the items were fitted, is fitted too, once nobody can go by that plan any more.
    with house(state_url, tmp_path, A, OFF, statuses={"deadly": "error"}) as made:
        made.add("before")
        before = made.pipeline.plan
        changed = Scheduler(made.runner.settings)
        changed.add_pipeline("p", [A, B])
        cared = ItemCare(changed.jobs, made.runner)
        cared.keep_plans()
        assert unfitted(made) == ["p"] and set(made.steps("before")) == {"a", "off"}
        cared.look(fence(made))
        assert set(made.steps("before")) == {"a", "b"} and unfitted(made) == ["p"]
        with made.state.begin() as connection:
            item_adding.add(connection, before, [NewItem("meanwhile", "{}", made.now())], made.now())
        monkeypatch.setattr(item_care, "SETTLED_SECONDS", 0.0)
        cared.look(fence(made))
        assert set(made.steps("meanwhile")) == {"a", "b"} and unfitted(made) == []
        made.check_counts()


def test_counts_are_summed_up(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, A) as made:
        for number in range(MOST_ROWS // 2 + 1):
            made.add(str(number))
        before = made.check_counts()
        assert rows(made, count_rows) > MOST_ROWS
        care(made).look(fence(made))
        assert rows(made, count_rows) == 2 and made.check_counts() == before


def test_counts_are_kept_each_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, A) as made:
        made.add("k")
        first, second = care(made), care(made)
        for _ in range(3):
            first.look(fence(made))
        assert rows(made, item_snapshots) == 1
        # Another daemon that comes to lead within the minute keeps none.
        second.look(fence(made))
        assert rows(made, item_snapshots) == 1
        monkeypatch.setattr(item_care, "SNAPSHOT_SECONDS", 0.0)
        first.look(fence(made))
        with made.state.read() as connection:
            kept = item_counts.snapshots(connection, "p", made.now() - timedelta(hours=1))
        assert [[one.number for one in counts] for _, counts in kept] == [[1, 1]] * 2


def test_items_past_their_time_end_though_nobody_runs_their_step(state_url: URL, tmp_path: Path) -> None:
    with house(state_url, tmp_path, A, OFF, statuses={"deadly": "error"}) as made:
        made.add("late", expires_at=made.now())
        made.add("early", expires_at=made.now() + timedelta(days=1))
        care(made).look(fence(made))
        assert made.statuses("late") == {"a": "expired", "off": "expired"} and made.item("late").state == FAILED
        assert set(made.statuses("early").values()) == {"not processed"}
        made.check_counts()


def test_a_clock_that_was_set_back_lets_no_retry_wait(state_url: URL, tmp_path: Path) -> None:
    # Given an item that waits for another try since an hour from now, as the daemon begins; and one later, once the
    # clock was set back again while it goes on.
    with house(state_url, tmp_path, A) as made:
        cared = care(made)
        for key in ("k", "l"):
            made.add(key)
            ahead = made.now() + timedelta(hours=1)
            with made.state.begin() as connection:
                waits = {"state": LATER, "rank": 0, "since_at": ahead, "sort_at": ahead + timedelta(seconds=1)}
                own = item_steps.c.item_id == made.item(key).id
                connection.execute(update(item_steps).where(own).values(**waits))
            cared.look(fence(made))
            assert made.steps(key)["a"].sort_at <= made.now()
            cared._last = (made.now() + timedelta(hours=1), time.monotonic())


def test_what_a_dead_run_holds_goes_back_though_nobody_runs_its_step(state_url: URL, tmp_path: Path) -> None:
    # Given a step that was switched off, one of whose items a run holds that has died, and one a run that goes on.
    with house(state_url, tmp_path, A, OFF, statuses={"deadly": "error"}) as made:
        made.add("dead", "alive")
        with made.state.begin() as connection:
            runs = [
                run_records.start(connection, f"p.{job}", "work", None, made.now(), False, "me") for job in ("off", "a")
            ]
            run_records.finish(connection, runs[0], Ending(Outcome.INTERRUPTED, "gone", made.now(), 1.0))
        take(made, "off", "dead", runs[0])
        take(made, "off", "alive", runs[1])
        care(made).look(fence(made))
        assert (made.statuses("dead")["off"], made.statuses("alive")["off"]) == ("not processed", "processing")
        assert made.steps("dead")["off"].deaths == 1
        assert [one.status for one in made.attempts("dead")] == ["interrupted"]
        made.check_counts()


def test_nothing_is_done_by_a_daemon_that_does_not_lead(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, A) as made:
        made.add("late", expires_at=made.now())
        own = fence(made)
        with pytest.raises(Fenced):
            care(made).look(Fence(own.name, own.token + 1))
        assert made.status("late") == "not processed" and rows(made, item_snapshots) == 0


def test_a_house_without_pipelines_needs_no_care(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, A) as made:
        own = ItemCare({}, made.runner)
        made.state.stop("nobody may ask")
        own.keep_plans()
        own.look(fence(made))
        made.state.stop("")


def test_a_daemon_cares_for_its_items(tmp_path: Path) -> None:
    # Given a daemon that comes to lead: its plan is kept before its first run, and a snapshot is there soon.
    with house(lite_state(tmp_path / "s.db"), tmp_path, A, leads=False) as made:
        with made.state.begin() as connection:
            connection.execute(item_pipelines.delete())

        def script() -> None:
            made.add("k")
            made.wait_for_ended(1)

        made.go(script)
        with made.state.read() as connection:
            assert item_plans.load(connection, "p") == made.pipeline.plan
