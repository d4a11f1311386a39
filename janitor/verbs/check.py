"""The verb `check`: check what jobs need from outside."""

import logging
import sys
from itertools import chain

import click

from janitor.terminal import console
from janitor.terminal.exit_codes import FAILED, SUCCEEDED
from janitor.verbs.assembly import Assembly, as_json


@click.command("check")
@click.option("--all", "everything", is_flag=True, help="Also what jobs that are switched off need.")
@click.option("--declare", is_flag=True, help="Make the exchange if it is missing.")
@as_json
@click.pass_obj
def check(assembly: Assembly, everything: bool, declare: bool, as_json: bool) -> int:
    """Check settings, connections, tables, grants, the exchange."""
    from janitor.checks.everything import findings
    from janitor.checks.finding import ok

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.CRITICAL)
    for wing in assembly.wings:
        wing.check(assembly.settings, assembly.scheduler.jobs)
    jobs, unknown = assembly.scheduler.jobs.values(), assembly.scheduler.unknown_variables().values()
    found = []
    door = [ok(f"front door: {assembly.front_door.name}")]
    looked = findings(assembly.settings, jobs, unknown, everything=everything, declare=declare)
    for finding in chain(looked, door):
        found.append({"verdict": finding.verdict.lower(), "text": assembly.mask(console.one_line(finding.text))})
        if not as_json:
            print(f"{finding.verdict:<5}  {found[-1]['text']}", flush=True)
    if as_json:
        console.print_json(found)
    return FAILED if any(one["verdict"] == "wrong" for one in found) else SUCCEEDED
