"""Logging: one line per fact to stdout; what is logged during a run is kept with it; no secret gets through."""

import collections
import logging
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import orjson

from janitor.runs import current_run
from janitor.settings import Settings
from janitor.state.logs import LogLine

MAX_LINES_A_RUN = 10_000
MAX_LINE = 20_000
SHORTEST_SECRET = 6
"""A shorter password is not looked for in texts: it would blot out ordinary words."""


class Mask:
    """Replaces secrets in a text by `***`: the last line of defence, for text that others wrote."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets as they are; their URL-quoted forms are masked too."""
        plain = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        forms = plain | {quote(secret, safe="") for secret in plain} | {quote_plus(secret) for secret in plain}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        return text


def mask_for(settings: Settings) -> Mask:
    """A mask for every password in the settings."""
    urls = (getattr(settings, name) for name in type(settings).model_fields if name.endswith("_database_url"))
    passwords = [str(url.password) for url in urls if url is not None and url.password]
    return Mask([*passwords, settings.rabbitmq_password.get_secret_value()])


class TextFormatter(logging.Formatter):
    """`time LEVEL logger [job run] message`, with the traceback below where there is one."""

    def __init__(self, mask: Mask, tracebacks: bool = True) -> None:
        """Without `tracebacks` a line stays one line."""
        super().__init__()
        self._mask, self._tracebacks = mask, tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        run = current_run()
        job = f" [{run.job} {run.id}]" if run.id else ""
        text = (
            f"{_instant(record):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
            + f"Z {record.levelname} {record.name}{job} {record.getMessage()}"
        )
        if self._tracebacks:
            text += _trace(self, record)
        return self._mask(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, logger, job, run_id, and the mapping given as `extra={"facts": ...}`."""

    def __init__(self, mask: Mask) -> None:
        """Secrets are masked in every value."""
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """One record as JSON."""
        run = current_run()
        fields: dict[str, Any] = {
            "time": f"{_instant(record):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname.lower(),
        }
        fields |= {"event": record.getMessage(), "logger": record.name}
        fields |= {"job": run.job, "run_id": run.id} if run.id else {}
        fields |= getattr(record, "facts", {})
        if trace := _trace(self, record):
            fields["traceback"] = trace.strip()
        return self._mask(orjson.dumps(fields, default=str).decode())


class RunLog(logging.Handler):
    """Keeps what is logged during a run, by whatever library, until somebody takes it to the state database."""

    def __init__(self, mask: Mask) -> None:
        """Nothing is kept before a run begins."""
        super().__init__()
        self._mask = mask
        self._lines: dict[int, collections.deque[LogLine]] = {}
        self._counts: dict[int, int] = {}

    def open(self, run_id: int) -> None:
        """Begin to keep the lines of a run."""
        self._lines[run_id], self._counts[run_id] = collections.deque(), 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, where it belongs to a run that is open."""
        run_id = current_run().id
        lines = self._lines.get(run_id)
        if lines is None or self._counts[run_id] > MAX_LINES_A_RUN:
            return
        self._counts[run_id] += 1
        text = record.getMessage()
        if self._counts[run_id] > MAX_LINES_A_RUN:
            text = f"the log is cut here, at {MAX_LINES_A_RUN} lines; the daemon's own output has the rest"
        self.keep(LogLine(run_id, _instant(record), record.levelname, record.name, text))

    def keep(self, line: LogLine) -> None:
        """Keep one line, masked."""
        message = self._mask(line.message)[:MAX_LINE]
        lines = self._lines.get(line.run_id)
        if lines is not None:
            lines.append(LogLine(line.run_id, line.at, line.level, line.logger[:255], message))

    def take(self, run_id: int) -> list[LogLine]:
        """The lines kept since the last call."""
        lines = self._lines.get(run_id, collections.deque())
        return [lines.popleft() for _ in range(len(lines))]

    def give_back(self, lines: Iterable[LogLine]) -> None:
        """Return lines that could not be saved, to the front."""
        for line in reversed(list(lines)):
            self._lines.setdefault(line.run_id, collections.deque()).appendleft(line)

    def close_run(self, run_id: int) -> list[LogLine]:
        """Stop keeping a run's lines; those not taken yet."""
        lines = self.take(run_id)
        self._lines.pop(run_id, None)
        self._counts.pop(run_id, None)
        return lines


def set_up(settings: Settings, mask: Mask, stream: TextIO | None = None, tracebacks: bool = True) -> RunLog:
    """Configure the root logger, once a process; the handler that keeps what runs log."""
    output = logging.StreamHandler(stream or sys.stdout)
    output.setFormatter(JsonFormatter(mask) if settings.log_format == "json" else TextFormatter(mask, tracebacks))
    run_log = RunLog(mask)
    root = logging.getLogger()
    root.handlers[:] = [output, run_log]
    root.setLevel(settings.log_level)
    # APScheduler and Alembic tell at INFO what Janitor tells better; pika reports as errors what its exceptions say too.
    for name, level in (("apscheduler", logging.WARNING), ("alembic", logging.WARNING), ("pika", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)
    return run_log


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback of a record, from a line of its own: one that it was given as text, or that of its exception."""
    trace = getattr(record, "trace", None) or (formatter.formatException(record.exc_info) if record.exc_info else "")
    return "\n" + trace.rstrip() if trace else ""


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, timezone.utc)
