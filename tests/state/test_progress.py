"""A run's progress as a tree."""

import json
import random
import threading
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from janitor.runs import current_run
from janitor.state.progress import indented, tree
from tests.small_engine import rows_of, run_by_hand, runner_for, settings_for


def node(done: float, total: float | None = None) -> dict[str, Any]:
    return {"done": done, "total": total}


def test_a_node_shows_its_report_or_its_children_s_sum() -> None:
    told = {"a/x": node(1, 4), "b": node(7, 9), "a/y/z": node(2, 2), "b/c": node(1, 1)}
    assert tree(told) == {
        "": node(10, 15),
        "a": node(3, 6),
        "a/x": node(1, 4),
        "a/y": node(2, 2),
        "a/y/z": node(2, 2),
        "b": node(7, 9),
        "b/c": node(1, 1),
    }
    assert list(tree(told)) == ["", "a", "a/x", "a/y", "a/y/z", "b", "b/c"]
    assert tree({"": node(5)} | told)[""] == node(5)
    assert tree({}) == {}


def test_a_part_whose_end_is_unknown_makes_the_sum_unknown() -> None:
    assert tree({"a": node(1, 4), "b": node(2)})[""] == node(3, None)


@given(
    st.dictionaries(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), st.integers(0, 9)),
    st.randoms(),
)
def test_the_order_of_reports_changes_no_sum(reports: dict[str, int], chance: random.Random) -> None:
    told = {path: node(done, 10) for path, done in reports.items()}
    shuffled = list(told.items())
    chance.shuffle(shuffled)
    assert tree(dict(shuffled)) == tree(told)


def test_names_lie_as_far_to_the_right_as_they_are_deep() -> None:
    assert [indented(path) for path in ("", "a", "a/b", "a/b/c")] == ["", "a", "  b", "    c"]


def test_many_threads_report_and_the_last_value_is_on_record(state_url: Any, tmp_path: Path) -> None:
    def task() -> None:
        run = current_run()

        def part(name: str) -> None:
            for done in range(1, 201):
                run.progress(done, 200, name, f"of/{done % 3}", note="x" * 10)

        threads = [threading.Thread(target=part, args=(f"part {number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with runner_for(settings_for(state_url, tmp_path)) as runner:
        stop = threading.Event()

        def flushing() -> None:
            while not stop.wait(0.001):
                runner.flush()

        saver = threading.Thread(target=flushing)
        saver.start()
        try:
            run_id, ending = run_by_hand(runner, task)
        finally:
            stop.set()
            saver.join()
        assert ending.outcome == "succeeded", ending
        (row,) = rows_of(runner.state)
    found = tree(json.loads(row.progress))
    assert found["part 3/of∕2"]["done"] == 200
    assert len(found) == 1 + 4 + 4 * 3
    assert run_id == row.id
