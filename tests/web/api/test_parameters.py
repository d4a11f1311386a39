"""What requests may say, and the sentence that tells what is wrong."""

import re

from tests.web.api.served import Api


def test_any_instant_is_one(api: Api) -> None:
    assert api("/runs?since=0001-01-01T00:00:00%2B23:59&until=9999-12-31t23:59:59.5-12:00")[1]["runs"] != []
    assert api("/runs?since=9999-12-31T23:59:59-12:00") == (200, {"runs": [], "next_before": None})


def test_what_is_wrong_is_one_sentence(api: Api) -> None:
    for path, status, words in (
        ("/jobs/nothing", 404, "there is no job nothing; the jobs are count, fail, "),
        ("/jobs/nothing/runs", 404, "there is no job nothing"),
        ("/runs/987654", 404, "there is no run 987654"),
        ("/runs/987654/log", 404, "there is no run 987654"),
        ("/runs?outcome=odd", 422, "outcome: "),
        ("/runs?since=2026-01-01", 422, "since: give an instant with its offset"),
        ("/runs?limit=0", 422, "limit: "),
        ("/nothing", 404, ""),
    ):
        found, answer = api(path)
        assert (found, list(answer)) == (status, ["error"]), path
        assert re.match(words, answer["error"]) and "\n" not in answer["error"]
    assert api("/jobs/count/run", {"dry_run": "maybe"})[0] == 422
    assert api("/jobs/count/run", {"dryrun": True})[0] == 422
    assert api("/jobs/count/pause", method="GET")[0] == 405


def test_both_lists_of_runs_take_the_same_query(api: Api) -> None:
    [newest] = api("/runs?outcome=succeeded&limit=1")[1]["runs"]
    assert {run["job"] for run in api("/jobs/count/runs")[1]["runs"]} == {"count"}
    assert {run["job"] for run in api("/runs")[1]["runs"]} > {"count"}
    for path in ("/runs", f"/jobs/{newest['job']}/runs"):
        for asked in ("origin=by_hand&outcome=missed", f"until={newest['started_at']}", "since=2999-01-01T00:00:00Z"):
            assert newest not in api(f"{path}?{asked}")[1]["runs"], (path, asked)
        assert newest not in api(f"{path}?before={newest['id']}")[1]["runs"]
        # Of a name that is given twice, the last counts; a name that is not known counts for nothing.
        assert api(f"{path}?outcome=succeeded&limit=9&limit=1&odd=1")[1]["runs"] == [newest]
        assert api(f"{path}?before=0&limit=x")[1]["error"].startswith("before: ")
