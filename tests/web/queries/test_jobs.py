"""All that is known of one job."""

import json
from dataclasses import replace

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


def test_what_a_jobs_file_took_is_in_no_job_s_page(state: State) -> None:
    scheduler = clock(state, "sweep")
    for name, value in {"LAB_KEY": "wJalrXUtnFEMI", "LAB_PIN": "735519"}.items():
        scheduler.settings.keep_secret(name, value)
    job = replace(scheduler.jobs["sweep"], args=("with wJalrXUtnFEMI", 735519, True, 7355190))
    page = ask(state, job_page, scheduler.jobs, job, scheduler.settings, NOON)
    assert page.config["args"] == ["(Settings)", "with ***", "***", True, "***0"]
