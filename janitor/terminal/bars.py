"""A run's progress as bars on a terminal."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from janitor.logs.escapes import visible
from janitor.state.progress import indented, tree


@contextmanager
def bars(job: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Show bars on a terminal, a bar for each part of the run that reports; show nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda parts: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    # Without markup: a note is a task's own text, and may have brackets in it.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    shown: dict[str, Any] = {}
    handlers = _handlers_on_stderr()
    with Progress(
        *columns, TextColumn("{task.fields[note]}", markup=False), console=Console(stderr=True), transient=True
    ) as progress:
        for handler in handlers:
            handler.setStream(sys.stderr)  # this stream is rich's; it writes above the bars

        def show(parts: dict[str, Any]) -> None:
            for name, part in tree(parts).items():
                if name not in shown:
                    shown[name] = progress.add_task(visible(indented(name)) or job, total=None, note="")
                progress.update(
                    shown[name], completed=part["done"], total=part["total"], note=visible(part.get("note", ""))
                )

        yield show
    for handler in handlers:
        handler.setStream(sys.stderr)


def _handlers_on_stderr() -> list[logging.StreamHandler[Any]]:
    """The handlers that log to stderr; a log file is not among them."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    return [handler for handler in handlers if handler.stream is sys.stderr]
