"""Results among arguments: found and filled in, however deep they stand."""

from typing import Any

from janitor.jobs import Result
from janitor.jobs.results import filled, referred


def test_results_are_put_in_wherever_they_stand() -> None:
    value = ([Result("a"), {"b": (Result("c"), 1)}], 2)
    assert list(referred(value)) == ["a", "c"]
    assert filled(value, lambda job: f"<{job}>") == (["<a>", {"b": ("<c>", 1)}], 2)


def test_arguments_may_be_of_any_depth_and_hold_themselves() -> None:
    round_and_round: list[Any] = [Result("a")]
    round_and_round.append(round_and_round)
    deep: Any = Result("b")
    for _ in range(5_000):
        deep = [{"in": deep}]
    assert list(referred([round_and_round, deep])) == ["a", "b"]
    plain: list[Any] = []
    plain.append(plain)
    assert filled(plain, lambda job: job) is plain
