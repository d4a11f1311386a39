"""Years in production: what a start, pages, the API, verbs and pruning cost on a history of 1,000,000 runs.

    fill ── start, leads ── the first page that anybody ever asked for, the runs that are owed ── stop
                 start, leads, the dashboard is loaded ── each page, each API call, each verb ── stop
                 start, prunes what is old, while a job runs each second ── stop

The state database is a SQLite file, and then on a MariaDB with its default buffer pool of 128 MB. Pages, API calls and
verbs are those that the application and the command line list themselves. `python -m benchmarks.years` measures at
the full size; `--runs 5000 --jobs 50` tries in a few minutes whether all of it works.
"""

import compileall
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import click
from sqlalchemy import URL

from benchmarks import clockwork, years_figures
from benchmarks.clockwork import Started
from benchmarks.long_history import fill
from benchmarks.processes import ROOT
from benchmarks.report import shown
from benchmarks.years_figures import RESULTS, Asked, Figure, slowest
from benchmarks.years_house import RHYTHM_SECONDS
from benchmarks.years_pruning import first_days, prune
from benchmarks.years_verbs import GONE, do_all
from benchmarks.years_web import NO_GOAL, TOKEN, ask_all, first_page
from janitor.state import State, recent
from tests.servers import MariaDB

LINES = 5
"""Log lines of each run."""
PATIENCE_SECONDS = 120.0
SETTLE_SECONDS = 2.0
CLEAR_SECONDS = 600.0
"""How long the measurements of one kind of database take at the most, so that no job is due meanwhile."""
LEADS = r"^\S+ \S+.*leading with"
ADDRESS = r"the dashboard is at (\S+)"
LOADED = r"the dashboard is loaded"


@click.command()
@click.option("--runs", default=1_000_000, show_default=True, type=click.IntRange(min=1_000))
@click.option("--jobs", default=1_000, show_default=True, type=click.IntRange(min=30))
@click.option("--only", type=click.Choice(["sqlite", "mariadb"]), help="Measure this kind of database alone.")
@click.option("--output", default=RESULTS, show_default=True, type=click.Path(path_type=Path, dir_okay=False))
def main(runs: int, jobs: int, only: str | None, output: Path) -> None:
    """Measure what years in production cost, and write it into --output; exit code 1 if a goal is missed."""
    # An installed release has its bytecode. Without it, each process would compile for a third of a second.
    for folder in ("janitor", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    kinds: dict[str, Callable[[int, int], Measured]] = {"sqlite": of_sqlite, "mariadb": of_mariadb}
    sizes = {"runs": runs, "jobs": jobs, "lines": runs * LINES}
    missed = 0
    for measure in (measure for kind, measure in kinds.items() if only in (None, kind)):
        figures, asked = measure(runs, jobs)
        years_figures.write(output, sizes, figures, asked)
        missed += sum(figure.met is False for figure in figures)
        for figure in figures:
            print(_line(figure), flush=True)
    sys.exit(1 if missed else 0)


def _line(figure: Figure) -> str:
    """A figure for people, with how much of its goal it takes."""
    of = f" ({figure.of})" if figure.of else ""
    goal = "" if figure.ratio is None else f"; {figure.ratio:.2f} of the goal, {figure.goal_text}"
    missed = "; MISSED" if figure.met is False else ""
    return f"{figure.database}: {figure.what}: {shown(figure.value, figure.unit)}{of}{goal}{missed}"


Measured = tuple[Sequence[Figure], Sequence[Asked]]
"""The figures of a kind of database, and each page, call and verb."""


def of_sqlite(runs: int, jobs: int) -> Measured:
    """Measure on a SQLite file."""
    with clockwork.empty_folder() as folder:
        return of_database(URL.create("sqlite", database=str(folder / "state.db")), "SQLite", folder, runs, jobs)


def of_mariadb(runs: int, jobs: int) -> Measured:
    """Measure on a MariaDB with 128 MB, which waits for the disk at each commit."""
    with ExitStack() as stack:
        folder = stack.enter_context(clockwork.empty_folder())
        server = MariaDB("--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=1")
        stack.callback(server.close)
        server.start()
        return of_database(server.create_database(), "MariaDB, 128 MB", folder, runs, jobs)


def of_database(url: URL, kind: str, folder: Path, runs: int, jobs: int) -> Measured:
    """Fill an empty database, and measure all."""
    with closing(State(url)) as state:
        state.migrate()
        fill(state, runs, jobs, LINES, rhythm_seconds=RHYTHM_SECONDS)
    environment = {
        "JOBS": str(jobs - GONE), "STATE_DATABASE_URL": url.render_as_string(hide_password=False), "WEB_PORT": "0",
        "HEARTBEAT_FILE": str(folder / "heartbeat"), "HISTORY_RUNS": "1000000", "WEB_OPERATOR_TOKEN": TOKEN,
    }  # fmt: skip
    _keep_clear_of_slots()
    with _daemon(folder, environment) as daemon:
        leading = [_seconds_until(daemon, LEADS)]
        very_first = first_page(_address(daemon))
        _settle(url)
    with _daemon(folder, environment) as daemon:
        leading.append(_seconds_until(daemon, LEADS))
        _seconds_until(daemon, LOADED)
        # What a start costs is told above.
        time.sleep(SETTLE_SECONDS)
        asked = _told(ask_all(_address(daemon)))
        verbs = do_all(folder, environment, alone=False)
    verbs = _told([*verbs, *do_all(folder, environment, alone=True)])
    pruned = prune(url, folder, environment, first_days(runs, jobs))
    first, later = (
        {one.what: taken for one in asked if one.what not in NO_GOAL for taken in [getattr(one, field)]}
        for field in ("first", "later")
    )
    whole = {one.what: max(one.first, one.later) / 1000 for one in verbs}
    return [
        Figure(kind, "from the process to leading", max(leading), "s", 2),
        slowest(kind, "the slowest page or API call, the first time", first, "ms", 300),
        slowest(kind, "the slowest page or API call, after that", later, "ms", 100),
        Figure(kind, "the first page of a dashboard that nobody has looked at before", very_first, "ms"),
        slowest(kind, "the slowest verb, as a whole process", whole, "s", 1.5),
        Figure(kind, "pruning a backlog", pruned.rate, "runs/s", 1_200, at_least=True),
        Figure(kind, "the latest run of a job of each second meanwhile", pruned.latest, "s", 0.5),
    ], [*asked, *verbs]


def _keep_clear_of_slots() -> None:
    """Wait for the next slot if it comes soon: all jobs have it at once, and each figure would be that of a burst."""
    left = RHYTHM_SECONDS - time.time() % RHYTHM_SECONDS
    if left < CLEAR_SECONDS:
        print(f"all jobs are due in {left:.0f} s: waiting for that", file=sys.stderr, flush=True)
        time.sleep(left + 1)


def _settle(url: URL) -> None:
    """Wait until the runs have ended that the first start owed: one of each job."""
    with closing(State(url)) as state:
        before = -1
        while (newest := _newest(state)) != before:
            before = newest
            time.sleep(SETTLE_SECONDS)


def _newest(state: State) -> int:
    with state.read() as connection:
        return recent.newest_id(connection)


@contextmanager
def _daemon(folder: Path, environment: dict[str, str]) -> Iterator[Started]:
    (folder / "log").unlink(missing_ok=True)
    arguments = ["-m", "benchmarks.years_house", "start"]
    with clockwork.process(folder, arguments, environment, environment["STATE_DATABASE_URL"]) as started:
        yield started


def _seconds_until(daemon: Started, said: str) -> float:
    """How long after its start the daemon has said something."""
    clockwork.wait_for(lambda: re.search(said, _log(daemon), re.MULTILINE), PATIENCE_SECONDS, pause=0.01)
    return time.time() - daemon.at


def _address(daemon: Started) -> str:
    found = re.search(ADDRESS, _log(daemon))
    assert found is not None, daemon.said()
    return found[1]


def _log(daemon: Started) -> str:
    return (daemon.folder / "log").read_text(encoding="utf-8", errors="replace")


def _told(asked: list[Asked]) -> list[Asked]:
    for one in asked:
        print(f"{one.what}: {one.first:.0f} ms, then {one.later:.0f} ms", file=sys.stderr, flush=True)
    return asked


if __name__ == "__main__":
    main()
