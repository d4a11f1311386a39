"""Janitor: a clock, a set of plain task functions, and a memory.

Whoever writes a task imports from these, one dot deep; everything else is the house's own, and may change:

    errors      what to raise, and what to expect       databases   read and write, within limits
    runs        the run that this code is part of       feeds       what is new in a growing column
    needs       what a task needs from outside          table_sink  rows into a table, only what differs
    settings    the house's settings, and a task's      publisher   messages out, each confirmed
    memory      cursors, ledger, quarantine             items       pipelines of steps, and queues
    http, mail  requests and letters
    jobs        what a run may return                   scheduler, cli: for run.py alone
"""

from pathlib import Path


def _stated_version() -> str:
    """The version that the checkout states; without a checkout, that of the installed package."""
    stated = Path(__file__).resolve().parent.parent / ".release-version"
    if stated.is_file():
        return stated.read_text(encoding="utf-8").strip()
    from importlib import metadata  # a tenth of all that is imported at a start

    return metadata.version("janitor")


__version__ = _stated_version()
