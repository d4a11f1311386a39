"""`step_fails`: a step failed at as many items in a row as its pipeline says."""

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History
from janitor.notices.item_facts import Failure, ItemFacts, Streak
from janitor.notices.rules.step_fails import step_fails
from tests.notices.rules.records import NOON, all_rules


def told(failures: int, limit: int) -> Condition | None:
    """What is told of a step that failed at so many items in a row, the last of them `DN7`."""
    newest = Failure("DN7", "no space left", 9) if failures else None
    items = ItemFacts(streak=Streak(failures, NOON, newest), fails_in_a_row=limit)
    return step_fails(Facts("job", History(), items=items), all_rules(), NOON)


def test_a_step_fails_from_the_pipeline_s_limit_on() -> None:
    assert told(2, 3) is None and told(0, 1) is None
    text = "failed at each of the last 3 items: no space left"
    assert told(3, 3) == Condition("step_fails", "job", text, 9, lasts=True, item="DN7")
    one = told(1, 1)
    assert one is not None and one.text == "failed at the last item: no space left"
