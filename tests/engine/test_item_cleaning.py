"""Cleaning up items: old ones are cleaned up and deleted, once a day each; what somebody asked for again stays."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine import item_cleaning
from janitor.engine.item_cleaning import ItemCleaning
from janitor.engine.pruning import Pruning
from janitor.errors import Fenced
from janitor.items import Step
from janitor.operations import items as operations
from janitor.runs import Fence, PastItem
from janitor.state.item_states import DONE, OPEN
from tests.items.house import House, Seen, house
from tests.small_engine import eventually, lite_state


class Cleanup:
    """A cleanup that notes whom it was called for, and does what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.do: Callable[[PastItem], object] = lambda past: None

    def __call__(self, past: PastItem) -> None:
        self.seen.append((past.key, past.step, past.status))
        self.do(past)

    @property
    def keys(self) -> list[str]:
        return [key for key, _, _ in self.seen]


@contextmanager
def old(url: URL, folder: Path, cleanup: Cleanup, *keys: str) -> Iterator[House]:
    """A pipeline whose items with these keys are done and old."""
    with house(url, folder, Step("a", Seen(), cleanup=cleanup), keep_days=1e-9, keep_errors_days=1) as made:
        for key in keys:
            made.add(key)
            made.do("a")
        yield made


def look(made: House, cleaning: ItemCleaning | None = None, fence: Fence | None = None) -> int:
    """Look once; how many items went."""
    own = cleaning or ItemCleaning(made.state, made.runner.settings)
    lead = fence or made.runner.lead.fence
    assert lead is not None
    return own.look([made.pipeline], made.now(), [lead])


def fails(past: PastItem) -> None:
    """Fail for some."""
    if past.key.startswith("stuck"):
        raise OSError("the disk is full")


def test_old_items_are_cleaned_up_and_deleted(state_url: URL, tmp_path: Path) -> None:
    cleanup = Cleanup()
    cleanup.do = fails
    with old(state_url, tmp_path, cleanup, "old", "stuck") as made:
        made.add("open")
        cleaning = ItemCleaning(made.state, made.runner.settings)
        assert [look(made, cleaning) for _ in range(2)] == [1, 0]
        assert sorted(cleanup.seen) == [("old", "a", "processed"), ("stuck", "a", "processed")]
        assert made.count() == 2 and made.item("stuck").state == DONE and made.item("open").state == OPEN
        made.check_counts()


def test_those_that_fail_hold_up_no_others_and_are_tried_the_next_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_cleaning, "TOGETHER", 2)
    cleanup, stuck = Cleanup(), [f"stuck{number}" for number in range(5)]
    cleanup.do = fails
    with old(lite_state(tmp_path / "s.db"), tmp_path, cleanup, *stuck, "good") as made:
        cleaning = ItemCleaning(made.state, made.runner.settings)
        assert look(made, cleaning) == 1 and cleanup.keys == [*stuck, "good"]
        assert look(made, cleaning) == 0 and cleanup.keys == [*stuck, "good"]
        made.add("later")
        made.do("a")
        assert look(made, cleaning) == 1 and cleanup.keys[-1] == "later"
        monkeypatch.setattr(item_cleaning, "PASS_SECONDS", 0.0)
        cleanup.do = lambda past: None
        assert look(made, cleaning) == 5 and made.count() == 0
        made.check_counts()


@pytest.mark.parametrize("act", ["reprocess", "anew"])
def test_what_somebody_asks_for_meanwhile_stays(state_url: URL, tmp_path: Path, act: str) -> None:
    # Given: two old items. What happens: while the first is cleaned up, both are asked for again. What must hold: both
    # are there and open; of the second, which was not begun, nothing is cleaned up.
    cleanup = Cleanup()
    with old(state_url, tmp_path, cleanup, "first", "second") as made:

        def ask(past: PastItem) -> None:
            for key in ("first", "second"):
                if act == "anew":
                    made.add(key, on_duplicate="anew", args={"n": 2})
                else:
                    operations.reprocess(made.state, operations.by_key(made.state, "p", key), "eva", made.now())

        cleanup.do = ask
        assert look(made) == 0
        assert cleanup.keys == ["first"]
        assert {made.item(key).state for key in ("first", "second")} == {OPEN}
        made.do("a")
        assert set(made.statuses("first").values()) == {"processed"}
        made.check_counts()


def test_nothing_is_cleaned_up_by_a_daemon_that_does_not_lead(tmp_path: Path) -> None:
    cleanup = Cleanup()
    with old(lite_state(tmp_path / "s.db"), tmp_path, cleanup, "old") as made:
        own = made.runner.lead.fence
        assert own is not None
        with pytest.raises(Fenced):
            look(made, fence=Fence(own.name, own.token + 1))
        assert cleanup.keys == [] and made.count() == 1


def test_pruning_has_it_done_in_a_thread_of_its_own(tmp_path: Path) -> None:
    cleanup = Cleanup()
    threads: list[str] = []
    cleanup.do = lambda past: threads.append(threading.current_thread().name)
    with old(lite_state(tmp_path / "s.db"), tmp_path, cleanup, "old") as made:
        pruning = Pruning(made.state, made.runner.settings, made.scheduler.jobs, made.runner.leadership)
        for _ in pruning.round(made.now()):
            pass
        eventually(lambda: made.count() == 0)
        assert threads == ["cleaning up"]
