"""What a broker has refused: tried again less and less often, in quarantine after some runs, forgotten if delivered."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor import memory
from janitor.memory import NotTaken, Refusal, Refusals
from janitor.memory import refusals as counted
from janitor.runs import Run
from janitor.state import State, quarantine, refusals
from janitor.state.quarantine import Quarantined

ONE, TWO = ("sample one", "41"), ("sample two", "41")
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon."""
    monkeypatch.setattr(counted, "now", lambda: NOW)


def test_pauses_grow_and_the_fifth_time_is_for_quarantine(run: Run) -> None:
    of_task, pauses, quarantined = Refusals("task"), [], []
    for _ in range(16):
        before = of_task.of_items(["41"])
        made = of_task.settle(before, {ONE: NotTaken("full")})
        assert of_task.of_items(["41"]) == made
        pauses.append((made[ONE].next_at - NOW) / timedelta(minutes=1))
        quarantined.append(memory.is_for_quarantine(made[ONE]))
    assert pauses[:6] == [0, 10, 20, 40, 80, 160] and pauses[-1] == 24 * 60 and pauses == sorted(pauses)
    assert quarantined == [False] * 4 + [True] * 12


def test_what_is_refused_for_itself_is_for_quarantine_at_once(run: Run) -> None:
    made = Refusals("task").settle({}, {ONE: NotTaken("too large", for_itself=True), TWO: NotTaken("full")})
    assert (memory.is_for_quarantine(made[ONE]), memory.is_for_quarantine(made[TWO])) == (True, False)
    assert (memory.is_due(made[ONE]), memory.is_due(made[TWO]), memory.is_due(None)) == (False, True, True)


def test_a_clock_set_back_holds_nothing_back_for_longer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: what was refused twice, and waits for ten minutes. What happens: the clock is set back by an hour.
    # What must hold: the next run tries it; what a person gave up, no run tries.
    held = Refusal("full", 2, NOW + timedelta(minutes=10))
    given_up = Refusal("full", 9, refusals.NEVER)
    assert not memory.is_due(held) and not memory.is_due(given_up)
    monkeypatch.setattr(counted, "now", lambda: NOW - timedelta(hours=1))
    assert memory.is_due(held) and not memory.is_due(given_up)


def test_what_was_delivered_is_forgotten(run: Run) -> None:
    of_task = Refusals("task")
    of_task.settle({}, {ONE: NotTaken("full"), TWO: NotTaken("full")})
    before = of_task.of_items(["41", "42", "41"])
    of_task.settle(before, {TWO: NotTaken("broken")})
    assert Refusals("task").of_items(["41"]) == {TWO: Refusal("broken", 2, NOW + 2 * counted.PAUSE)}
    assert Refusals("task").of_items(["42"]) == Refusals("another").of_items(["41"]) == {}


def test_secrets_are_taken_out_of_reasons(run: Run) -> None:
    run.mask = lambda text: text.replace("s3cret", "***")
    made = Refusals("task").settle({}, {ONE: NotTaken("user 's3cret' may not")})
    assert made[ONE].reason == "user '***' may not" == Refusals("task").of_items(["41"])[ONE].reason


def test_a_dry_run_remembers_no_refusal(run: Run) -> None:
    run.dry_run = True
    Refusals("task").settle({}, {ONE: NotTaken("full")})
    assert Refusals("task").of_items(["41"]) == {}


def test_a_person_lets_it_be_tried_now_or_gives_it_up(run: Run, state: State) -> None:
    of_task = Refusals("task")
    of_task.settle({}, {ONE: NotTaken("large", for_itself=True), TWO: NotTaken("large", for_itself=True)})
    with state.begin() as connection:
        quarantine.put(connection, "task", [Quarantined(ONE[0], "large", ONE[1])], NOW, 1)
        quarantine.drop(connection, "task", ONE[0], "anna", "gone", NOW)
        refusals.give_up(connection, "task", ONE[0])
        refusals.try_now(connection, "task", TWO[0])
    held = of_task.of_items(["41"])
    assert (memory.is_due(held[ONE]), memory.is_due(held[TWO])) == (False, True)
    with state.begin() as connection:
        refusals.try_now(connection, "task")
    assert {one: memory.is_due(held) for one, held in of_task.of_items(["41"]).items()} == {ONE: True, TWO: True}
