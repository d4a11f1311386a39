"""The verb `validate`: every mistake of a jobs file, in one pass."""

import logging
import sys
from pathlib import Path

import click

from janitor.errors import BadSetting
from janitor.settings.paths import shown
from janitor.terminal import console
from janitor.terminal.exit_codes import BAD_INPUT, SUCCEEDED
from janitor.verbs.assembly import Assembly, as_json


@click.command("validate")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def validate(assembly: Assembly, file: Path | None, as_json: bool) -> int:
    """Look for every mistake in FILE, a jobs file, or in JOBS_FILE."""
    from janitor.jobs_file.loading import load
    from janitor.jobs_file.mistakes import BadJobsFile, Mistake

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    path = file or assembly.settings.jobs_file
    if path is None:
        raise BadSetting("FILE", None, "name a jobs file, or give one as JOBS_FILE")
    try:
        loaded, mistakes = load(path, assembly.own_scheduler), list[Mistake]()
    except BadJobsFile as exc:
        loaded, mistakes = None, list(exc.mistakes)
    if as_json:
        lines = [
            {"file": one.place.file, "line": one.place.line, "where": one.where, "text": one.text} for one in mistakes
        ]
        console.print_json(assembly.mask.value(lines))
    for mistake in [] if as_json else mistakes:
        print(assembly.mask(console.one_line(mistake)))
    count = f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}"
    if not as_json:
        print(f"{shown(path)}: {count if loaded is None else f'{len(loaded.jobs)} jobs, no mistakes'}")
    return SUCCEEDED if loaded is not None else BAD_INPUT
