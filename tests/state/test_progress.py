"""A run's progress as a tree."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from janitor.state.progress import indented, tree


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
