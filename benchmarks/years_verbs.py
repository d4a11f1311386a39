"""Every verb, as the command line itself lists them: how long each takes as a whole process."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from benchmarks.measures import seconds_of
from benchmarks.processes import ROOT, Failed
from benchmarks.years_figures import Asked
from janitor import cli

TURNS = 2
GONE = TURNS
"""How many jobs of the history, the last ones, the house has no more."""
LINES: Mapping[str, tuple[str, ...]] = {
    "jobs": ("jobs", "jobs --json"),
    "run": ("run job_{turn}",),
    "history": ("history", "history job_7", "history --limit 500 --json"),
    "show": ("show 500", "show 500 --json"),
    "delete": ("delete 52{turn}",),
    "pause": ("pause job_1{turn}",),
    "resume": ("resume job_1{turn}",),
    "rename": ("rename job_{gone} job_2{turn}",),
    "check": ("check",),
    "cancel": ("cancel 500",),
    "quarantine": ("quarantine", "quarantine job_7"),
    "cursor": ("cursor job_7",),
    "health": ("health", "health --jobs"),
    "migrate": ("migrate --check",),
    "notices": ("notices",),
    "items": ("items",),
    "letters": ("letters",),
    "validate": ("validate jobs.yaml",),
    "restored": ("restored",),
}
"""How each verb is called: of a change each turn concerns another thing. `rename` is told of jobs that are gone."""
APART = {
    "start": "it is measured by when it leads",
    "listen": "it goes on until it is stopped, and asks no state database",
    "password": "it hashes a password, which is slow on purpose",
    "backup": "it copies the whole state database",
    "restore": "it copies the whole state database",
    "notices test": "it sends a mail or a message",
    **dict.fromkeys(("item", "push", "retry", "reprocess", "reset", "drop", "flag"), "this house has no items"),
}
"""Verbs that are left out, and why."""
ALONE = ("restored",)
"""Verbs that are typed while no daemon runs; all others are called beside a daemon."""
ENDS = (0, 1)
"""That a job is overdue, or that a run has ended, is an answer too."""
JOBS_FILE = "jobs:\n  - id: machine\n    function: platform:machine\n"


def lines() -> list[str]:
    """Each way in which the verbs are called.

    Raises:
        Failed: a verb is neither called nor left out here.
    """
    named = list(_names(cli.verbs))
    if unknown := [name for name in named if name not in APART and name not in LINES]:
        raise Failed(f"LINES in benchmarks/years_verbs.py does not call {', '.join(unknown)}")
    return [line for name in named for line in LINES.get(name, ())]


def _names(group: click.Group, before: str = "") -> Iterator[str]:
    for name, verb in group.commands.items():
        yield f"{before}{name}"
        if isinstance(verb, click.Group):
            yield from _names(verb, f"{before}{name} ")


def do_all(folder: Path, environment: Mapping[str, str], *, alone: bool) -> list[Asked]:
    """Call each verb twice, in a process of its own; if `alone` those that need to have no daemon, else the others.

    `environment` has JOBS, the number of jobs in the house.
    """
    (folder / "jobs.yaml").write_text(JOBS_FILE, encoding="ascii")
    found = []
    for line in (line for line in lines() if (line.split()[0] in ALONE) == alone):
        typed = [line.format(turn=turn, gone=int(environment["JOBS"]) + turn) for turn in range(TURNS)]
        first, later = (seconds_of(lambda: _do(one, folder, environment)) for one in typed)
        found.append(Asked(line, first * 1000, later * 1000))
    return found


def _do(line: str, folder: Path, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "benchmarks.years_house", *line.split()]
    whole = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True)
    if ended.returncode not in ENDS or "not expected" in ended.stderr:
        raise Failed(f"{line} ended with {ended.returncode}: {ended.stderr[-2000:]}")
