"""Adding items from a task: what is kept, what is refused, and who is told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, func, select

from janitor.engine.stages import Slot
from janitor.errors import BadSetting, JanitorError
from janitor.items import New, Step, add, add_all
from janitor.items.adding import check_key, in_seconds, keep_new_plans, new_item, plan_of, write
from janitor.items.waking import listening
from janitor.runs import Outcome
from janitor.state.item_changes import First
from janitor.state.item_tables import item_pipelines, items
from janitor.state.run_records import BY_HAND, Ending
from tests.engine.keeping import give_away
from tests.items.house import House, Seen, house, in_a_thread, succeeded
from tests.small_engine import job_of, lite_state

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SNAIL = "\U0001f40c"


def run(made: House, task: Callable[[], Any], dry_run: bool = False) -> Ending:
    """Run a task that adds."""
    found = made.runner.execute(job_of(task, id="feeder"), Slot(None, BY_HAND), dry_run)
    assert found is not None
    return found[1]


def test_a_task_adds_items(state_url: URL, tmp_path: Path) -> None:
    came: list[Any] = []

    def task() -> None:
        at = NOW.astimezone(timezone(timedelta(hours=2)))
        came.append(add("p", SNAIL * 255, order_at=at, priority=3, expires_at=at, ra=10.5, name="half \ud800"))
        came.append(add("p", "k"))
        came.append(add("p", "k", n=2))
        came.append(add("p", "k", on_duplicate="change", n=3))
        came.append(add_all("p", [New("k"), New("l", {"n": 1}), New("m"), New("m")], on_duplicate="ignore"))

    with house(state_url, tmp_path, Step("only", Seen())) as made:
        succeeded(run(made, task))
        assert came == [True, True, False, False, 2]
        row = made.item(SNAIL * 255)
        assert (row.order_at, row.expires_at, row.priority, row.origin) == (NOW, NOW, 3, "add")
        assert row.args == '{"ra":10.5,"name":"half \\ud800"}'
        assert made.item("k").args == '{"n":3}' and made.item("l").args == '{"n":1}'
        assert made.count() == 4
        made.check_counts()


def test_nothing_is_added_in_a_dry_run(tmp_path: Path) -> None:
    came: list[Any] = []
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:
        succeeded(run(made, lambda: came.append(add("p", "k")), dry_run=True))
        assert came == [False] and made.count() == 0
        ending = run(made, lambda: add("p", ""), dry_run=True)
        assert ending.outcome is Outcome.FAILED, "what cannot be kept is refused in a dry run too"


def test_a_run_that_lost_its_job_adds_nothing(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:

        def task() -> None:
            add("p", "before")
            give_away(made.runner, "job:feeder")
            add("p", "after")

        ending = run(made, task)
        assert ending.outcome is not Outcome.SUCCEEDED and made.count() == 1


def test_code_outside_a_job_adds_nothing() -> None:
    with pytest.raises(JanitorError, match="run it as a job"):
        add("p", "k")


def test_a_pipeline_that_is_none_is_told_with_those_there_are(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:
        assert "pipeline is 'q': there is no such pipeline; the pipelines are p" in (
            run(made, lambda: add("q", "k")).reason or ""
        )
        with made.state.read() as connection:
            assert plan_of(connection, "p") == made.pipeline.plan


def test_before_the_first_start_there_is_no_pipeline(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:
        with made.state.begin() as connection:
            connection.execute(item_pipelines.delete())
        with made.state.read() as connection, pytest.raises(BadSetting, match="there are none yet: `start` makes"):
            plan_of(connection, "p")
        keep_new_plans(made.state, [])
        keep_new_plans(made.state, [made.pipeline])
        with made.state.read() as connection:
            assert plan_of(connection, "p") == made.pipeline.plan


def test_many_are_added_in_transactions_of_some_hundreds(tmp_path: Path) -> None:
    # Given a thousand and more, of which one late cannot be kept: nothing is added, since all are looked at first.
    news = [New(str(n)) for n in range(1_100)]
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", Seen())) as made:
        assert run(made, lambda: add_all("p", [*news, New("")])).outcome is Outcome.FAILED
        assert made.count() == 0
        told: list[First] = []
        with listening(told.extend):
            succeeded(run(made, lambda: {"new": add_all("p", news)}))
        assert made.count() == 1_100 and len(told) == 3
        made.check_counts()


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (New(""), "key is '': give a text that is not empty"),
        (New("  "), "give a text that is not empty"),
        (New(" k"), "give a text without line feeds"),
        (New("a\tb"), "give a text without line feeds"),
        (New("\u200b"), "give a text without line feeds"),
        (New("half \ud800"), "give a text without line feeds"),
        (New("k" * 256), "it has 256 characters: give 255 at most"),
        (New(7), "key is '7': give a text"),  # type: ignore[arg-type]
        (New("k", priority=True), "priority is 'True': give a whole number"),
        (New("k", priority=1.5), "give a whole number"),  # type: ignore[arg-type]
        (New("k", priority=2**31), "give a whole number"),
        (New("k", priority=-(2**31)), "give a whole number"),
        (New("k", order_at=datetime(2026, 7, 1)), "order_at is .*: give a datetime with a zone"),
        (New("k", expires_at="soon"), "expires_at is 'soon': give a datetime with a zone"),  # type: ignore[arg-type]
        (New("k", [1]), "args is .*: give a mapping"),  # type: ignore[arg-type]
        (New("k", {"n": object()}), "args is 'dict': give JSON values alone"),
        (New("k", {"n": "x" * 1_100_000}), "bytes of JSON': give 1,048,576 at most"),
    ],
)
def test_what_cannot_be_kept_is_refused(new: New, says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        new_item(new, NOW)


def test_a_duplicate_is_one_of_four_things() -> None:
    assert new_item(New("k"), NOW, "anew").on_duplicate == "anew"
    with pytest.raises(BadSetting, match="on_duplicate is 'never': give one of reply, ignore, change, anew"):
        new_item(New("k"), NOW, "never")


def test_what_is_left_out_is_as_it_says() -> None:
    found = new_item(New("k"), NOW)
    assert (found.args, found.order_at, found.priority, found.expires_at) == ("{}", NOW, 0, None)
    assert (found.origin, found.envelope, found.secrets, found.on_duplicate) == ("add", None, None, None)
    assert new_item(New("k"), NOW, secrets={"s": 1}).secrets == '{"s":1}'
    check_key("a b")
    assert in_seconds(NOW, 1.5) == NOW + timedelta(seconds=1.5)


def test_many_tasks_may_add_the_same_items_at_once(state_url: URL, tmp_path: Path) -> None:
    # Given four threads that add the same hundred items in different orders, while a step does them. Each is one item,
    # and none of the threads sees that it came second.
    with house(state_url, tmp_path, Step("only", Seen())) as made:
        keys = [f"k{n}" for n in range(100)]

        def adds(number: int) -> None:
            for at in range(0, 100, 20):
                some = keys[at : at + 20] if number % 2 else keys[at : at + 20][::-1]
                news = [
                    new_item(New(key, {"by": number}), made.now(), "change" if number < 2 else None) for key in some
                ]
                write(made.state, "p", news)

        waits = [in_a_thread(lambda number=number: adds(number)) for number in range(4)]  # type: ignore[misc]
        made.do("only")
        for wait in waits:
            wait()
        made.do("only")
        with made.state.read() as connection:
            assert connection.execute(select(func.count()).select_from(items)).scalar_one() == 100
        made.check_counts()
