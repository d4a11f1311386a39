"""The comparison at the end of the demo."""

from collections import Counter

from janitor.demo.summary import Gap


def test_a_gap_counts_wrong_missing_and_repeated() -> None:
    locations = {"DN1": ("shelf 1",), "DN2": ("shelf 2",), "DN3": ("shelf 3",)}
    table = {"DN1": ("shelf 1",), "DN2": ("elsewhere",), "DN9": ("where it was last known",)}
    gap = Gap.between(locations, table, {("a",), ("b",)}, Counter({("a",): 3, ("an earlier one",): 1}))
    assert gap == Gap(locations=3, wrong_locations=2, messages=2, missing_messages=1, repeated_messages=2)
    assert not gap.is_closed


def test_nothing_wrong_and_nothing_missing_is_no_gap() -> None:
    gap = Gap.between({"DN1": ("shelf 1",)}, {"DN1": ("shelf 1",)}, {("a",)}, Counter([("a",), ("an earlier one",)]))
    assert gap.is_closed
