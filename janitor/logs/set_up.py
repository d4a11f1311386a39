"""Logging: one line for each fact to the output, and each run's lines kept with the run; secrets are masked."""

import io
import logging
import os
import sys
import threading
from typing import TextIO

from janitor.logs.formats import JsonFormatter, TextFormatter
from janitor.logs.mask import Mask
from janitor.logs.outlet import outlet_of
from janitor.logs.output import Output
from janitor.logs.run_log import RunLog
from janitor.settings.settings import Settings

log = logging.getLogger(__name__)


def set_up(settings: Settings, mask: Mask, stream: TextIO | None = None, tracebacks: bool = True) -> RunLog:
    """Configure the root logger, once in a process, and return the handler that keeps what runs log.

    `stream` is stdout by default. Without `tracebacks` the output has none; the run log always has them.
    """
    output = Output(_outlet_for(stream or sys.stdout or open(os.devnull, "w", encoding="utf-8")))
    output.setFormatter(format_of_lines(settings, mask, tracebacks))
    run_log = RunLog(mask, settings.traceback_locals)
    root = logging.getLogger()
    root.handlers[:] = [output, run_log]
    root.setLevel(settings.log_level)
    quieten()
    logging.captureWarnings(True)
    threading.excepthook = _tell_of_dead_thread
    return run_log


def format_of_lines(settings: Settings, mask: Mask, tracebacks: bool = True) -> logging.Formatter:
    """How a line of the output looks: as text or as JSON, as the settings say."""
    return JsonFormatter(mask) if settings.log_format == "json" else TextFormatter(mask, tracebacks)


def _outlet_for(stream: TextIO) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    # Bars on a terminal take the stream itself over.
    return stream if stream is sys.stderr and stream.isatty() else outlet_of(stream)


def quieten() -> None:
    """Raise the levels of libraries that say too much."""
    # APScheduler and Alembic log at INFO what Janitor logs better. pika logs what its exceptions say too.
    for name, level in (("apscheduler", logging.WARNING), ("alembic", logging.WARNING), ("pika", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)


def _tell_of_dead_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
        trace = (what.exc_type, what.exc_value, what.exc_traceback)
        log.critical("the thread %s died", what.thread.name if what.thread else "?", exc_info=trace)
