"""Results among arguments: found and filled in, however deep they stand."""

from janitor.jobs import Result
from janitor.jobs.results import filled, referred


def test_results_are_put_in_wherever_they_stand() -> None:
    value = ([Result("a"), {"b": (Result("c"), 1)}], 2)
    assert list(referred(value)) == ["a", "c"]
    assert filled(value, lambda job: f"<{job}>") == (["<a>", {"b": ("<c>", 1)}], 2)
