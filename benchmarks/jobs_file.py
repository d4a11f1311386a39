"""A jobs file with 500 jobs and 1,000 dependencies: the time to load it, and to decide what is due."""

import tempfile
from datetime import datetime, timezone
from pathlib import Path

import yaml
from sqlalchemy import insert

from benchmarks.house import House
from benchmarks.measures import Line, Rival, median_of, seconds_of
from janitor.engine.dependents import Dependents
from janitor.engine.runner import Runner
from janitor.jobs_file.loading import load
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State
from janitor.state.tables import run_uses, runs

JOBS, ROOTS, RUNS_EACH = 500, 10, 20
TIMES = 101


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure seconds from the file to jobs on a clock, and milliseconds of a look at what is due."""
    del house, rivals  # it needs no warehouse, and its rival is a part of the work
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.yaml"
        path.write_text(_text(), encoding="utf-8")
        settings = Settings.load({"STATE_DATABASE_URL": f"sqlite:///{folder}/state.db"}, dotenv=None)
        loading = median_of(lambda: _loaded(path, settings), 5)
        parsing = seconds_of(lambda: yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        looking = _looking(_loaded(path, settings), settings)
    return [
        Line(
            "a jobs file with 500 jobs and 1,000 dependencies, validated and loaded",
            loading,
            "s",
            "<= 2 s",
            loading <= 2,
            [Rival("limit: PyYAML's C loader, which checks nothing", parsing)],
        ),
        Line("deciding what is due among them", looking * 1000, "ms", "<= 20 ms", looking <= 0.02),
    ]


def _text() -> str:
    lines = ["jobs:"]
    for number in range(JOBS):
        named = [f"job_{number - back}" for back in (1, 2, 3)[: 2 + number % 23 // 22]] if number >= ROOTS else []
        lines += [
            f"  - id: job_{number}",
            "    function: benchmarks.jobs_file:nothing",
            f"    schedule: {'after' if named else 'every 1h'}",
            f"    dependencies: [{', '.join(named)}]",
        ]
    return "\n".join(lines) + "\n"


def _loaded(path: Path, settings: Settings) -> Scheduler:
    scheduler = Scheduler(settings)
    scheduler.replace_jobs(load(path, scheduler).jobs)
    return scheduler


def _looking(scheduler: Scheduler, settings: Settings) -> float:
    state = State(settings.state_database_url)
    state.migrate()
    with state.begin() as connection:
        for number in range(RUNS_EACH):
            ids = {job: number * JOBS + at for at, job in enumerate(scheduler.jobs, 1)}
            connection.execute(insert(runs), [_run(run_id, job) for job, run_id in ids.items()])
            uses = [
                {"run_id": ids[job.id], "dependency": name, "used_id": ids[name]}
                for job in scheduler.jobs.values()
                for name in job.dependencies
            ]
            connection.execute(insert(run_uses), uses)
    dependents = Dependents(scheduler.jobs, Runner(state, settings, "", Mask(), RunLog(Mask())), lambda job, slot: None)
    dependents.look()
    try:
        return median_of(dependents.look, TIMES)
    finally:
        state.close()


def _run(run_id: int, job: str) -> dict[str, object]:
    now = datetime.now(timezone.utc)
    return {
        "id": run_id,
        "job": job,
        "origin": "after",
        "slots": 0,
        "outcome": "succeeded",
        "started_at": now,
        "ended_at": now,
        "seconds": 0.1,
        "attempts": 1,
        "dry_run": False,
        "holder": "",
    }


def nothing() -> None:
    """Do nothing."""
