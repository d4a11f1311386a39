"""A run's progress as bars on a terminal."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

from janitor.logs.escapes import visible
from janitor.logs.printed import Printed
from janitor.state.progress import indented, tree


@contextmanager
def bars(job: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Show bars on a terminal, a bar for each part of the run that reports; show nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda parts: None
        return
    from rich.console import Console
    from rich.file_proxy import FileProxy
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    # Without markup: a note is a task's own text, and may have brackets in it.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    shown: dict[str, Any] = {}
    printed = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, Printed)]
    terminal = sys.stderr.stream if isinstance(sys.stderr, Printed) else sys.stderr
    console = Console(file=terminal)
    note = TextColumn("{task.fields[note]}", markup=False)
    progress = Progress(*columns, note, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)

    def above(stream: TextIO) -> Any:
        return FileProxy(console, stream)  # it writes above the bars

    with ExitStack() as stack:
        for one in printed:
            stack.enter_context(one.shown_by(above))
        for handler in _handlers_on(terminal):
            handler.setStream(above(terminal))
            stack.callback(handler.setStream, terminal)
        stack.enter_context(progress)

        def show(parts: dict[str, Any]) -> None:
            for name, part in tree(parts).items():
                if name not in shown:
                    shown[name] = progress.add_task(visible(indented(name)) or job, total=None, note="")
                progress.update(
                    shown[name], completed=part["done"], total=part["total"], note=visible(part.get("note", ""))
                )

        yield show


def _handlers_on(stream: TextIO) -> list[logging.StreamHandler[Any]]:
    """The handlers that log to a stream; a log file is not among them."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    return [handler for handler in handlers if handler.stream is stream]
