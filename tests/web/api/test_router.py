"""All routes: what a viewer may do, what a state database that is away means, and the document put to the proof."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.scheduler import Scheduler
from janitor.state import State
from janitor.web.desk import Desk
from janitor.web.serving import server
from tests.servers import free_port
from tests.small_engine import runner_for, settings_for
from tests.web.api.served import TOKEN, VIEWER, Api


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


KNOWN = """
[parameters]
"path.pipeline" = "parcels"
"path.key" = ["a", "b/c", "nobody"]
"""
"""Which pipelines and items there are: nothing tells of them before the first items come."""


@pytest.mark.slow
@pytest.mark.timeout(360)
@pytest.mark.parametrize(("kind", "phases"), [("token", "coverage,fuzzing,stateful"), ("open", "fuzzing")])
def test_schemathesis_finds_nothing_wrong(start: Callable[..., str], tmp_path: Path, kind: str, phases: str) -> None:
    more = {"WEB_OPERATOR_TOKEN": TOKEN} if kind == "token" else {}
    address = start(kind, SMALL_HOUSE_PARCELS="1", **more)
    shown = f"Authorization: Bearer {TOKEN}"
    if kind == "open":
        shown = f"X-CSRF-Token: {Api(address, '')('/session')[1]['csrf_token']}"
    else:
        Api(address)("/pipelines/parcels/items", [{"key": "a"}, {"key": "b/c", "lost": True}])
    (tmp_path / "schemathesis.toml").write_text(KNOWN)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json", "--header", shown]
    command += ["--checks", "all", "--phases", phases, "--max-examples", "2", "--seed", "1", "--no-color"]
    command += ["--generation-database", "none", "--request-timeout", "30", "--suppress-health-check", "all"]
    command += ["--wait-for-schema", "60"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    tested = re.search(r"Tested: +(\d+)", ended.stdout)
    assert tested is not None and int(tested[1]) >= 34
