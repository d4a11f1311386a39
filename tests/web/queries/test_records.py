"""From rows to models: numbers that JSON does not have, parts of parts, and what charts add up."""

import json

from janitor.jobs.counts import stored
from janitor.state import State
from janitor.state.tables import runs
from janitor.web.queries import records
from tests.web.queries.past import MINUTE, NOON, add, ask


def test_counts_hold_only_what_json_has() -> None:
    odd = json.dumps({"rows": 7, "share": float("nan"), "most": float("-inf"), "half \ud800": "\ud800", "note": "ü"})
    assert stored(odd) == {"rows": 7, "share": None, "most": None, "half ?": "?", "note": "ü"}
    assert stored(None) is None and stored("{}") == {}


def test_a_run_that_reported_nothing_has_no_progress() -> None:
    assert records.progress(None) is None and records.progress("") is None and records.progress("{}") is None


def test_shares_lie_between_nothing_and_all() -> None:
    told = {"": {"done": 12, "total": 8}, "below": {"done": -1, "total": 8}, "empty": {"done": 0, "total": 0}}
    whole = records.progress(json.dumps(told | {"odd": {"done": float("nan"), "total": 3}}))
    assert whole is not None and whole.share == 1.0
    assert {part.name: part.share for part in whole.parts} == {"below": 0.0, "empty": None, "odd": None}


def test_parts_lie_in_the_parts_that_their_paths_name() -> None:
    whole = records.progress(json.dumps({"//walk//shelves/": {"done": 2, "total": 4, "note": "on its way"}}))
    assert whole is not None and (whole.name, [part.name for part in whole.parts]) == ("", ["walk"])
    [shelves] = whole.parts[0].parts
    assert (shelves.name, shelves.share, shelves.note, shelves.parts) == ("shelves", 0.5, "on its way", [])


def test_of_very_many_parts_the_first_are_shown_among_others() -> None:
    told = json.dumps({f"shelf {number}/box": {"done": number, "total": 500} for number in range(250)})
    first, whole = records.progress(told, 21), records.progress(told)
    assert first is not None and whole is not None
    assert [part.name for part in first.parts] == [f"shelf {number}" for number in range(11)]
    assert [len(part.parts) for part in first.parts] == [1] * 10 + [0]
    assert (first.done, first.left_out) == (whole.done, 500 - 21)
    assert (len(whole.parts), whole.left_out, first.parts[0].left_out) == (250, 0, 0)


def test_charts_add_up_numbers_alone(state: State) -> None:
    told = {
        "inserted": 2,
        "deleted": 1.5,
        "updated": True,
        "repaired": "many",
        "published": None,
        "share": float("nan"),
    }
    run = add(state, "a", 0, counts=json.dumps(told), seconds=None)
    point = records.point(ask(state, lambda connection: connection.execute(runs.select()).one()))
    assert (point.id, point.rows, point.published, point.seconds) == (run, 3, 0, 0.0)
    assert point.counts == {"inserted": 2, "deleted": 1.5}


def test_a_run_of_a_faster_clock_has_gone_on_for_no_time(state: State) -> None:
    add(state, "a", 5, None)
    row = ask(state, lambda connection: connection.execute(runs.select()).one())
    assert (records.going(row, NOON).seconds, records.going(row, NOON + 7 * MINUTE).seconds) == (0.0, 120.0)
    assert (records.run_line(row).outcome, records.bar(row).outcome) == ("running", "running")
