"""What runs did in each hour."""

import json

from janitor.state import State
from janitor.web.queries.hours import hours
from tests.web.queries.day import HOUR, JOBS, NOW
from tests.web.queries.past import NOON, add, ask


def test_each_hour_tells_what_runs_did(state: State) -> None:
    def counted(minute: float, dry_run: bool = False, **counts: object) -> None:
        add(state, "a", minute, counts=json.dumps(counts), dry_run=dry_run)

    counted(0, published=7, unchanged=100)
    counted(1, inserted=2, updated=3, deleted=10, repaired=0)
    counted(59.9, repaired=40)
    counted(61, published=900, dry_run=True)
    counted(62, published=float("nan"), inserted=5)
    counted(63, inserted="many", published=10)
    counted(66, published=1.7e308, inserted=1.7e308)
    counted(67, published=1.7e308)
    add(state, "a", 64)
    found = ask(state, hours, JOBS, NOW - 24 * HOUR, NOW)
    assert (found[0].at, found[-1].at) == (NOON - 6 * HOUR, NOON + 18 * HOUR) and len(found) == 25
    told = {(hour.at - NOON) // HOUR: (hour.published, hour.rows) for hour in found if hour.published or hour.rows}
    assert told == {0: (7, 15), 1: (10, 40)}
