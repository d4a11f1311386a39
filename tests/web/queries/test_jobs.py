"""All that is known of one job."""

import json

from janitor.state import State
from janitor.web.queries.jobs import job_page
from tests.web.queries.past import MINUTE, NOON, add, ask, clock


def test_a_job_s_page_has_its_words_slots_and_charts(state: State) -> None:
    scheduler = clock(state, "sweep", "sweep_reconcile")
    counts = {"inserted": 2, "updated": 3, "unchanged": 9, "published": 7, "note": "x", "share": float("nan")}
    add(state, "sweep", 0, counts=json.dumps(counts))
    add(state, "sweep", 10, "skipped", attempts=0)
    add(state, "sweep", 20, None)
    page = ask(state, job_page, scheduler.jobs, scheduler.jobs["sweep"], scheduler.settings, NOON + 26 * MINUTE)
    assert page.docstring == "Sweep the floor. It is done\nwith a broom.\n\n    As far as the wall."
    assert page.next_runs == [NOON + minutes * MINUTE for minutes in (30, 40, 50, 60, 70)]
    [point] = page.points
    assert (point.rows, point.published, point.seconds) == (5, 7, 30.0)
    assert point.counts == {"inserted": 2, "updated": 3, "unchanged": 9, "published": 7}
    assert (page.timeout_seconds, page.retries, page.catch_up, page.isolation) == (3600, 0, "last", "thread")
