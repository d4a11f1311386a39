"""Runs: begun, watched, cancelled, and listed."""

from tests.small_engine import eventually
from tests.web.api.served import Api


def test_a_run_is_begun_watched_and_cancelled(api: Api) -> None:
    status, begun = api("/jobs/walk/run", {})
    assert status == 202
    run = begun["run"]
    assert api("/jobs/walk/run", {"dry_run": True}) == (409, {"error": f"the job is still running (run {run})"})
    page = eventually(lambda: (found := api(f"/runs/{run}")[1])["progress"] and found)
    assert page["going"]["progress"]["total"] == 600 and page["progress"]["note"] == "walking"
    [line] = [line for line in api("/jobs")[1]["jobs"] if line["id"] == "walk"]
    assert line["running"]["id"] == run and line["condition"] == "disabled"
    assert [going["id"] for going in api("/overview")[1]["running"]] == [run]
    assert api(f"/runs/{run}/cancel", {}) == (200, {"changed": True})
    assert api(f"/runs/{run}/cancel", {}) == (200, {"changed": False})
    ended = api.ended(run)["run"]
    assert (ended["outcome"], ended["origin"], ended["dry_run"]) == ("cancelled", "by_hand", False)
    assert ended["reason"].startswith("cancelled by ")
    assert api(f"/runs/{run}/cancel", {}) == (409, {"error": f"run {run} of walk has ended: cancelled"})
    log = api(f"/runs/{run}/log?limit=1")[1]
    assert log["lines"][0]["message"] == "started" and log["more"] and not log["ended"]
    rest = api(f"/runs/{run}/log?after={log['next_after']}")[1]
    assert rest["ended"] and "cancelled after" in rest["lines"][-1]["message"]
    done = [(one["action"], one["detail"]) for one in api("/actions?job=walk")[1]["actions"]]
    assert done == [("cancelled", f"run {run}"), ("run", f"run {run}")]


def test_a_dry_run_says_so(api: Api) -> None:
    run = api("/jobs/decline/run", {"dry_run": True})[1]["run"]
    assert api.ended(run)["run"]["dry_run"] is True
    [line] = api("/jobs/decline/runs?outcome=skipped&origin=by_hand")[1]["runs"]
    assert (line["id"], line["reason"]) == (run, "there is nothing new")
