"""All that is known of one run."""

import json

from janitor.runs import Outcome
from janitor.state import State
from janitor.state.run_records import Attempt, add_attempts
from janitor.web.queries.history import Filter, run_list
from janitor.web.queries.runs import run_page
from tests.web.queries.past import MINUTE, NOON, add, ask


def test_a_run_is_shown_with_all_that_is_known(state: State) -> None:
    told = {
        "/odd//": {"done": "many", "total": 0, "note": 7},
        "": {"done": 3, "total": 8},
        "walk/shelves": {"done": 5, "total": 5, "note": "done"},
        "write": {"done": 1, "total": None},
    }
    before, other = add(state, "a", 0), add(state, "b", 1)
    reason = "it broke " * 500
    more = {"progress": json.dumps(told), "reason": reason, "traceback": "Traceback", "attempts": 2}
    run_id = add(state, "a", 2, "failed", slot_at=NOON + 1.5 * MINUTE, **more)
    after = add(state, "a", 3, "missed", attempts=0, slots=4)
    with state.begin() as connection:
        at = NOON + 2 * MINUTE
        add_attempts(connection, run_id, [Attempt(1, at, at + MINUTE / 4, Outcome.FAILED, "first")])
    page = ask(state, run_page, run_id, NOON + 9 * MINUTE)
    assert (page.before, page.after, page.late_seconds, page.process) == (before, after, 30.0, "process 4711 on lab-1")
    assert page.run.reason == reason and page.traceback == "Traceback" and page.going is None
    assert [(one.number, one.seconds, one.reason) for one in page.attempts] == [(1, 15.0, "first")]
    tree = page.progress
    assert (tree.done, tree.total, tree.share) == (3, 8, 0.375)
    odd, walk, write = tree.parts
    assert (odd.name, odd.done, odd.total, odd.share, odd.note) == ("odd", None, 0, None, "7")
    assert (walk.name, walk.done, walk.parts[0].name, walk.parts[0].share) == ("walk", 5, "shelves", 1.0)
    assert (write.share, write.parts) == (None, [])
    missed = ask(state, run_page, after, NOON)
    assert (missed.late_seconds, missed.run.slots, missed.after, missed.progress) == (None, 4, None, None)
    assert ask(state, run_page, after + 1, NOON) is None
    assert ask(state, run_page, other, NOON).before is None
    listed = ask(state, run_list, ["a"], Filter("a", "failed"), 5)
    assert listed.runs[0].reason == reason[:1000]
