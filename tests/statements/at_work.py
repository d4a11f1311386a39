"""All that asks a state database: a daemon, its wings and its pruning, each page, the API, each verb."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from janitor import cli, memory
from janitor.engine.pruning import Pruning
from janitor.feeds import position_after
from janitor.items import Item, Step
from janitor.notices import wing
from janitor.runs import PastRun
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import run_records
from janitor.state.quarantine import Quarantined
from tests.explained import Sends
from tests.small_engine import ended, logging_restored, run_until, runner_for, settings_for, text_of
from tests.statements.years import NAMES, RHYTHM_SECONDS
from tests.web.desks import ask, served

NOTICES = {"SLACK_URL": "http://127.0.0.1:1/hook", "NOTICE_CHECK_SECONDS": "0.1"}
OLD = {
    "HISTORY_DAYS": "49",
    "HISTORY_RUNS": "90",
    "LOG_INFO_DAYS": "48",
    "LOG_WARNING_DAYS": "48",
    "ACTIONS_DAYS": "30",
}
APART = {"start", "listen", "password", "validate"}
"""Verbs that are tried as the daemon, or that ask no state database."""


def count() -> dict[str, int]:
    """Remember all that a task may remember."""
    digests = {number.to_bytes(16, "big"): bytes(16) for number in range(40)}
    memory.save_cursor("count", position_after("41"))
    memory.cursor("count")
    memory.Quarantine("count").settle(
        ["1"], [Quarantined("DN1", "no location", "1"), Quarantined("DN2", "no user", "2")]
    )
    list(memory.quarantined("job_1"))
    memory.looked_at("job_1", memory.checked_longest_ago("job_1", 10))
    memory.published("job_1", digests)
    memory.last_published("job_1", list(digests))
    memory.enter("job_1", digests)
    memory.forget_published("job_1", timedelta(days=30))
    return {"inserted": 5}


def clean(run: PastRun) -> None:
    """Have nothing to clean up."""


def fail() -> None:
    """Fail."""
    raise ValueError("odd")


def weigh(item: Item) -> None:
    """Leave a result for the next step."""
    item.result = len(item.key)


def add_jobs(scheduler: Scheduler) -> None:
    """The jobs of the history, and some that run each second."""
    for name in NAMES[3:-1]:
        scheduler.add_job(print, "interval", seconds=RHYTHM_SECONDS, id=name)
    scheduler.add_job(print, "interval", seconds=RHYTHM_SECONDS, id="job_0")
    scheduler.add_job(print, "interval", seconds=RHYTHM_SECONDS, id="job_1", dependencies=["job_0"])
    scheduler.add_job(print, "interval", seconds=RHYTHM_SECONDS, id="job_2", cleanup=clean)
    scheduler.add_job(count, "interval", seconds=1)
    scheduler.add_job(fail, "interval", seconds=1, retries=0)
    scheduler.add_job(print, "after", id="later", dependencies=["count"])
    steps = [Step("fetch", weigh), Step("match", weigh, needs=["fetch"]), Step("count", weigh, needs=["match"])]
    statuses = {"no host": "error", "few filters": "warning"}
    scheduler.add_pipeline("parcels", steps, statuses=statuses)


def build(settings: Settings) -> Scheduler:
    """The clock with these jobs."""
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    return scheduler


def daemon(sends: Sends, url: URL, folder: Path) -> None:
    """Start, account for what was lost, lead, run, watch, tell, prune, stop; and take over once more."""
    settings = settings_for(url, folder, **NOTICES, **OLD)
    for sends.during in ("the first start", "the second start"):
        with runner_for(settings, leads=False) as runner:
            scheduler = build(settings)
            made = scheduler.daemon(runner)
            with wing.running(runner, scheduler.jobs):
                so_many = len(runs_of(runner, "count")) + 3
                assert run_until(made, ended(runner, "count", so_many))
    with runner_for(settings) as runner:
        sends.during = "pruning"
        steps = list(Pruning(runner.state, settings, scheduler.jobs, runner.leadership).round(datetime.now(UTC)))
        assert sum(step.gone for step in steps) > 500
        runner.leadership.free(runner.lead.fence)


def runs_of(runner: Any, job: str) -> list[int]:
    """The ended runs of a job."""
    with runner.state.read() as connection:
        return [row.id for row in run_records.history(connection, job, 100) if row.outcome]


def pages(sends: Sends, url: URL, folder: Path) -> None:
    """Ask for each page and each part of the API, and do all that the API does."""
    with served(url, folder, add_jobs, **NOTICES) as (desk, address), ExitStack() as lead:
        lead.callback(desk.runner.leadership.free, desk.runner.lead.fence)
        for path in PAGES:
            sends.during = f"GET {path}"
            assert ask(f"{address}{path}", Accept="text/html").status in (200, 503), path
        document, token = read(f"{address}/openapi.json"), read(f"{address}/api/session")["csrf_token"]
        for path, operations in document["paths"].items():
            given = address + path.format(job="job_5", run="15005", pipeline="parcels", key="DN0000001", letter="20")
            for method in operations:
                sends.during = f"{method} {path}"
                if method == "get":
                    assert ask(given).status in (200, 503), given
                else:
                    # What is deleted is asked for no more.
                    given = given.replace("15005", "15006") if method == "delete" else given
                    read(given, BODIES.get(path, {}), token, method)
        for path in QUERIES:
            sends.during = f"get /api{path}"
            read(f"{address}/api{path}")


def read(address: str, body: object = None, token: str = "", method: str | None = None) -> Any:
    """What the API says, as JSON, to a request or to a body that is sent, by POST if nothing else; it may refuse it."""
    headers = {"X-CSRF-Token": token, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers, method=method and method.upper())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as exc:
        assert body is not None and exc.code in (404, 409), (address, exc.code, exc.read())
        return {}


PAGES = (
    "/", "/jobs", "/jobs/job_5", "/jobs/job_5?dropped=true", "/jobs/count", "/graph", "/notices", "/runs/15005",
    "/history", "/history?job=job_5", "/history?what=actions", "/history?what=actions&job=job_5", "/history?what=runs",
    "/history?outcome=failed", "/history?outcome=cancelled&job=job_5", "/history?before=15000.5",
    "/history?origin=by_hand", "/history?since=2026-01-01T00:00:00Z", "/metrics", "/health/live", "/health/ready",
    "/health/jobs", "/pipelines", "/pipelines/parcels", "/pipelines/parcels?state=failed",
    "/pipelines/parcels?key=DN00",
    "/pipelines/parcels?step=match&status=no+host", "/pipelines/parcels?flagged=true&after=4000",
    "/pipelines/parcels?state=done&after=1000&span=year", "/pipelines/parcels?status=processed",
    "/pipelines/parcels/items/DN0000001", "/pipelines/parcels/letters?after=4000", "/jobs/parcels.match",
)  # fmt: skip
QUERIES = (
    "/runs?outcome=failed", "/runs?outcome=running", "/runs?origin=by_hand", "/runs?since=2026-01-01T00:00:00Z",
    "/runs?until=2030-01-01T00:00:00Z&limit=500", "/runs?before=500", "/jobs/job_5/runs?outcome=timed_out",
    "/jobs/job_5/runs?before=5000", "/actions?job=job_5", "/notices?job=job_5", "/graph?job=later",
    "/runs/15005/log?after=3", "/pipelines/parcels/items?step=fetch&state=ready&after=4001",
    "/pipelines/parcels/items?key=DN000*&limit=2", "/pipelines/parcels/history?since=2020-01-01T00:00:00Z",
)  # fmt: skip
BODIES: dict[str, Any] = {
    "/api/jobs/{job}/run": {"dry_run": False, "confirm": ""},
    "/api/jobs/{job}/quarantine/retry": {"key": "DN5"},
    "/api/jobs/{job}/quarantine/drop": {"key": "DN5", "note": "x"},
    "/api/pipelines/{pipeline}/items": [{"key": "one"}, {"key": "DN0000001"}],
    "/api/pipelines/{pipeline}/retry": {"key": "DN000000*"},
    "/api/pipelines/{pipeline}/reprocess": {"key": "DN0000002"},
    "/api/pipelines/{pipeline}/reset": {"key": "DN00000*", "state": "done", "from_step": "match"},
    "/api/pipelines/{pipeline}/drop": {"key": "*", "flagged": True, "note": "x"},
    "/api/pipelines/{pipeline}/flag": {"key": "DN0000003", "note": "x"},
    "/api/pipelines/{pipeline}/resolve": {"key": "DN0000003"},
    "/api/pipelines/{pipeline}/letters/drop": {"letters": [40]},
}


def verbs(sends: Sends, url: URL, folder: Path, environment: Callable[[str, str], None]) -> None:
    """Do each verb, in this process."""
    for name, value in {"STATE_DATABASE_URL": text_of(url), "HEARTBEAT_FILE": str(folder / "beat"), **NOTICES}.items():
        environment(name, value)
    (folder / "new.jsonl").write_text('{"key": "new"}\n')
    for line in (*LINES, f"backup {folder / 'copy.db'}"):
        sends.during = f"the verb {line}"
        with logging_restored():
            assert cli.main(build, line.split()) == REFUSED.get(line, 0), line
    assert {line.split()[0] for line in LINES} | APART | {"backup"} == set(cli.verbs.commands)


ITEM = "DN0000121"
LINES = (
    "jobs", "jobs --json", "history", "history job_5", "history --limit 500 --json", "show 15005", "show 15005 --json",
    "delete 15007", "delete 10002", "pause job_5", "resume job_5", "run count",
    "run later --with-dependencies --yes-run count",
    "run job_0 --rerun-dependents --yes-run job_1", "check", "cancel 15005", "quarantine", "quarantine job_1",
    "quarantine job_1 --dropped", "quarantine job_1 --retry all", "quarantine job_1 --retry DN1",
    "quarantine job_1 --drop DN1 --note x", "cursor count",
    "cursor count --set 40", "health", "health --jobs", "notices",
    "notices --json", f"rename {NAMES[-1]} job_5", "migrate", "restored --snapshot", "restore nowhere.db",
    "items", "items parcels", "items parcels --state failed --json", "items parcels --step fetch --status processed",
    "items parcels --key DN000001*", "items parcels --flagged", f"item parcels/{ITEM}", f"item parcels/{ITEM} --json",
    f"retry parcels/{ITEM}", "retry parcels --key DN000001* --yes", "retry parcels --replies",
    f"reset parcels/{ITEM} fetch", f"reprocess parcels/{ITEM}", f"flag parcels/{ITEM} odd",
    f"flag parcels/{ITEM} mended --resolve", "letters", "letters parcels", "letters parcels --again 10",
    "letters --drop 20", "push parcels new.jsonl", f"drop parcels/{ITEM} --note x",
    "drop parcels --key DN000002* --note x --yes",
)  # fmt: skip
REFUSED = {"letters parcels --again 10": 2, "cancel 15005": 1, "health": 1, "health --jobs": 1, "restore nowhere.db": 2}
"""The exit codes of verbs that end with another than 0."""
