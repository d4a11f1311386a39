"""Finding items from a task, and counting them."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor import items
from janitor.errors import BadSetting
from janitor.items import Item, Step, finding
from janitor.operations import items as operations
from tests.items.house import NAME, house
from tests.small_engine import run_by_hand


def weigh(item: Item) -> str | None:
    """Tell what is heavy; of every third nothing can be told."""
    if item.args["n"] % 3 == 2:
        raise ValueError("the scales show nothing")
    item.result = {"kg": item.args["n"]}
    return "heavy" if item.args["n"] % 3 else None


def found(runner: Any, **filters: Any) -> list[str]:
    """The keys that a task finds."""
    keys: list[str] = []

    def task() -> None:
        keys.extend(one.key for one in items.find(NAME, **filters))

    assert run_by_hand(runner, task)[1].reason is None
    return keys


@pytest.mark.slow
def test_a_task_finds_items_by_what_they_are(state_url: URL, tmp_path: Path) -> None:
    # Given: 450 items, of which each third is heavy, and each third has failed. What happens: a task asks for some.
    # What must hold: it gets each that is so, once, those added first coming first, whatever a page holds.
    with house(state_url, tmp_path, Step("weigh", weigh), statuses={"heavy": "warning"}) as made:
        for number in range(450):
            made.add(f"k{number:03}", args={"n": number})
        made.do("weigh")
        heavy = [f"k{number:03}" for number in range(450) if number % 3 == 1]
        failed = [f"k{number:03}" for number in range(450) if number % 3 == 2]
        assert sorted(found(made.runner, step="weigh", status="heavy")) == heavy
        assert sorted(found(made.runner, state="failed")) == failed
        assert found(made.runner, key="k44*") == [f"k{number}" for number in range(440, 450)]
        assert len(found(made.runner)) == 450


def test_what_becomes_of_items_meanwhile_hides_no_others(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given items that have failed, and a task that goes through them and lets each be tried again. One of the first
    # fails once more meanwhile, and so stands behind all others.
    monkeypatch.setattr(finding, "TOGETHER", 4)
    keys: list[str] = []
    with house(state_url, tmp_path, Step("weigh", weigh)) as made:
        for number in range(12):
            made.add(f"k{number:02}", args={"n": 2})
            made.do("weigh")

        def task() -> None:
            for one in items.find(NAME, state="failed"):
                keys.append(one.key)
                operations.retry(made.state, operations.by_key(made.state, NAME, one.key), "task", made.now())
                if len(keys) == 4:
                    made.do("weigh")

        run_by_hand(made.runner, task)
    assert keys[:12] == [f"k{number:02}" for number in range(12)] and set(keys[12:]) <= set(keys[:4])


def test_what_is_found_has_statuses_and_results(state_url: URL, tmp_path: Path) -> None:
    seen: list[items.Found] = []
    with house(state_url, tmp_path, Step("weigh", weigh), statuses={"heavy": "warning"}) as made:
        made.add("a", args={"n": 1})
        made.do("weigh")
        run_by_hand(made.runner, lambda: seen.extend(items.find(NAME)))
        counts: list[Any] = []
        run_by_hand(made.runner, lambda: counts.append(items.counts(NAME)))
    [one] = seen
    assert (one.key, one.args, one.state, one.statuses) == ("a", {"n": 1}, "done", {"weigh": "heavy"})
    assert one.results["weigh"] == {"kg": 1} and one.ended_at is not None
    assert counts == [{"items": {"done": 1}, "weigh": {"heavy": 1}}]


def test_an_unknown_pipeline_is_told_with_all_that_there_are(state_url: URL, tmp_path: Path) -> None:
    raised: list[BaseException] = []

    def task() -> None:
        with pytest.raises(BadSetting, match="step is 'nope': p has no such step; its steps are weigh"):
            list(items.find(NAME, step="nope", status="heavy"))
        for ask in (lambda: list(items.find("q")), lambda: items.counts("q")):
            with pytest.raises(BadSetting, match="there is no such pipeline; the pipelines are p") as caught:
                ask()
            raised.append(caught.value)

    with house(state_url, tmp_path, Step("weigh", weigh)) as made:
        run_by_hand(made.runner, task)
    assert len(raised) == 2
