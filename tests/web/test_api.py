"""The JSON API: on a daemon with jobs that run, as a program uses it; and its OpenAPI document, put to the proof."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.scheduler import Scheduler
from janitor.state import State
from janitor.web.desk import Desk
from janitor.web.serving import server
from tests.daemons import Daemon, daemons
from tests.servers import free_port
from tests.small_engine import eventually, runner_for, settings_for

TOKEN = "operator-token-of-this-test"
VIEWER = "viewer-token-of-this-test"


@dataclass(frozen=True)
class Api:
    """The API of a daemon, for whoever holds a token."""

    address: str
    token: str = TOKEN

    def __call__(self, path: str, body: object = None, method: str | None = None) -> tuple[int, Any]:
        """GET a path below /api, or POST a body to it; the status and the JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} | (
            {} if data is None else {"Content-Type": "application/json"}
        )
        request = urllib.request.Request(f"{self.address}/api{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            return exc.code, json.load(exc)

    def ended(self, run: int) -> Any:
        """A run, once it has ended."""
        return eventually(lambda: (page := self(f"/runs/{run}")[1])["going"] is None and page)


def address_of(daemon: Daemon) -> str:
    """Where the dashboard of a daemon is."""
    daemon.says("the dashboard is at ")
    found = re.search(r"the dashboard is at (\S+)", daemon.text)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    folder = tmp_path_factory.mktemp("api")
    state = URL.create("sqlite", database=str(folder / "state.db"))
    with daemons("tests.small_house", folder, WEB_ENABLED="true", WEB_PORT="0") as begin:
        yield lambda name, **more: address_of(begin(state.set(database=str(folder / f"{name}.db")), name, **more))


@pytest.fixture(scope="module")
def api(start: Callable[..., str]) -> Api:
    api = Api(start("guarded", WEB_OPERATOR_TOKEN=TOKEN, WEB_VIEWER_TOKEN=VIEWER))
    eventually(
        lambda: (found := api("/runs"))[0] == 200 and [run["outcome"] for run in found[1]["runs"]] == ["succeeded"] * 2
    )
    return api


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


def test_to_pause_twice_is_to_pause_once(api: Api) -> None:
    for path, expected in (("pause", True), ("pause", False), ("resume", True), ("resume", False)):
        assert api(f"/jobs/fail/{path}", {}) == (200, {"changed": expected})
        job = api("/jobs/fail")[1]["job"]
        assert (job["paused_at"] is not None) == (path == "pause")
        assert (job["next_run_at"] is None) == (path == "pause")
    done = api("/actions?job=fail")[1]["actions"]
    assert [one["action"] for one in done] == ["resumed", "paused"] and len({one["actor"] for one in done}) == 1


def test_quarantined_rows_are_retried_and_given_up(api: Api) -> None:
    api.ended(api("/jobs/count/run", {})[1]["run"])
    kept = api("/jobs/count/quarantine?limit=1")[1]
    assert (kept["keys"], kept["rows"][0]["key"], kept["next_offset"]) == (2, "DN1", 1)
    assert api("/jobs/count/quarantine/retry", {"key": None}) == (200, {"rows": 2})
    assert api("/jobs/count/quarantine/retry", {"key": "DN7"}) == (200, {"rows": 0})
    wish = {"key": "DN1", "note": "thrown away"}
    assert api("/jobs/count/quarantine/drop", wish) == (200, {"rows": 1})
    assert api("/jobs/count/quarantine/drop", wish) == (200, {"rows": 0})
    [row] = api("/jobs/count/quarantine?dropped=true")[1]["rows"]
    assert (row["key"], row["note"]) == ("DN1", "thrown away")
    page = api("/jobs/count")[1]
    assert (page["job"]["quarantined"], page["dropped"], page["job"]["cursor"]["top"]) == (1, 1, 41)
    assert api("/jobs/count/quarantine/drop", {"key": "DN2", "note": " "})[0] == 422


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


def test_a_viewer_changes_nothing(api: Api) -> None:
    viewer = Api(api.address, VIEWER)
    assert viewer("/jobs")[0] == 200 and Api(api.address, "nobody")("/jobs")[0] == 401
    for path in ("/jobs/fail/run", "/jobs/fail/pause", "/jobs/fail/resume", "/runs/1/cancel"):
        status, answer = viewer(path, {})
        assert status == 403 and "operator" in answer["error"]
    assert viewer("/jobs/count/quarantine/drop", {"key": "DN2", "note": "x"})[0] == 403
    assert all(action["job"] != "fail" or action["action"] != "run" for action in api("/actions")[1]["actions"])


def test_a_state_database_that_is_away_is_told(tmp_path: Path) -> None:
    here = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(here, tmp_path, WEB_PORT="0")) as runner:
        away = URL.create("mysql+pymysql", "anna", "s3cret-word", "127.0.0.1", free_port(), "janitor")
        runner.state.close()
        runner.state = State(away, 1.0)
        with server.serving(Desk(Scheduler(runner.settings).daemon(runner))) as address:
            for path, body in (("/jobs", None), ("/overview", None), ("/runs/1", None), ("/runs/1/cancel", {})):
                status, answer = Api(address)(path, body)
                assert status == 503 and "127.0.0.1" in answer["error"] and "s3cret" not in answer["error"]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "phases"), [("token", "coverage,fuzzing,stateful"), ("open", "fuzzing")])
def test_schemathesis_finds_nothing_wrong(start: Callable[..., str], tmp_path: Path, kind: str, phases: str) -> None:
    address = start(kind, **({"WEB_OPERATOR_TOKEN": TOKEN} if kind == "token" else {}))
    shown = f"Authorization: Bearer {TOKEN}"
    if kind == "open":
        shown = f"X-CSRF-Token: {Api(address, '')('/session')[1]['csrf_token']}"
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json", "--header", shown]
    command += ["--checks", "all", "--phases", phases, "--max-examples", "2", "--seed", "1", "--no-color"]
    command += ["--generation-database", "none", "--request-timeout", "30", "--suppress-health-check", "all"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    tested = re.search(r"Tested: +(\d+)", ended.stdout)
    assert tested is not None and int(tested[1]) >= 17
