"""Steps: what they need, and what their jobs tell of them."""

from janitor.items import Item, Step


def match(item: Item) -> None:
    """Find the galaxy."""


def test_a_list_of_needs_is_of_what_must_be_processed() -> None:
    assert Step("a", match).needed == {}
    assert Step("a", match, needs=["b", "c"]).needed == {"b": "processed", "c": "processed"}
    assert Step("a", match, needs={"b": "few filters"}).needed == {"b": "few filters"}


def test_the_needs_of_a_step_cannot_be_changed_from_outside() -> None:
    needs = {"b": "few filters"}
    step = Step("a", match, needs=needs)
    found = dict(step.needed)
    found["c"] = "processed"
    assert step.needed == needs


def test_its_job_tells_what_it_was_given() -> None:
    step = Step("a", match, needs=["b"], failed="no host", retries=2, timeout=60, workers=4, isolation="process")
    assert step.options == {
        "needs": {"b": "processed"},
        "failed": "no host",
        "retries": 2,
        "seconds for an item": 60,
        "workers": 4,
        "isolation": "process",
        "record": "batch",
    }
