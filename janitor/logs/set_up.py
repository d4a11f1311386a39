"""Logging: one line per fact to stdout; what is logged during a run is kept with it; no secret gets through."""

import collections
import functools
import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import orjson
from pydantic import SecretStr

from janitor.logs import tracebacks
from janitor.runs import current_run
from janitor.settings.settings import Settings
from janitor.state.logs import LogLine

log = logging.getLogger(__name__)

MAX_LINES_A_RUN = 10_000
MAX_LINE = 20_000
MAX_TEXT_A_RUN = 10_000_000
SHORTEST_SECRET = 6
"""A shorter password is not looked for in texts: it would blot out ordinary words."""

SHORTEST_PATH = 16
"""A shorter path of a webhook's address is not looked for by itself: it would hardly be a secret."""

_FOLDERS = sorted((f"{folder.rstrip('/')}/" for folder in {os.getcwd(), *sys.path} if folder), key=len, reverse=True)

SECRET_NAMES = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY")
"""Variables whose names end so hold secrets, which a jobs file may hand to a task."""

_PASSWORD_IN_URL = re.compile(r"^[\w+]+://[^/:@]*:(.+)@")


class Mask:
    """Replaces secrets in a text by `***`: the last line of defence, for text that others wrote."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets as they are; their quoted forms are masked too."""
        forms = (_forms(secret) for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._forms = sorted(set().union(*forms), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without the secrets, and without halves of characters, which neither files nor databases take."""
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        return text


def _forms(secret: str) -> set[str]:
    """A secret as it is, in a URL, in JSON, and as Python shows it."""
    # SQLAlchemy leaves blanks and plus signs in a URL as they are.
    shown = {secret, quote(secret), quote(secret, safe=""), quote(secret, safe=" +"), quote_plus(secret)}
    shown |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return shown | {form.replace("\\", "\\\\") for form in shown}


def mask_for(settings: Settings) -> Mask:
    """A mask for every password, token and other secret in the settings."""
    urls = (getattr(settings, name) for name in type(settings).model_fields if name.endswith("_database_url"))
    passwords = [str(url.password) for url in urls if url is not None and url.password]
    # As they were written: there is more than one way to quote a character in a URL.
    written = [found[1] for value in settings.environ.values() if (found := _PASSWORD_IN_URL.search(value))]
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    secrets += [value for name, value in settings.environ.items() if name.endswith("_PING_URL")]
    secrets += [value for name, value in settings.environ.items() if name.endswith(SECRET_NAMES)]
    paths = [path for secret in secrets if len(path := _path(secret)) >= SHORTEST_PATH]
    return Mask([*passwords, *written, *secrets, *paths])


def _path(secret: str) -> str:
    """What is secret of a webhook's address, also where only a part of it is told."""
    return secret.split("://", 1)[1].partition("/")[2] if secret.startswith(("http://", "https://")) else ""


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
        # One line per fact, also where somebody else's text has several.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        at = f"{_instant(record):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
        text = f"{at}Z {record.levelname} {record.name}{job} {message}"
        if self._tracebacks:
            text += _trace(self, record)
        return self._mask(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, logger, job, run_id, and what is given as `extra={"facts": ...}`."""

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
        try:
            return self._mask(orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
        except TypeError:  # numbers beyond 64 bits, half a surrogate pair
            return self._mask(json.dumps(fields, default=str))


class RunLog(logging.Handler):
    """Keeps what is logged during a run, by whatever library, until somebody takes it to the state database."""

    def __init__(self, mask: Mask, variables: bool = False) -> None:
        """Nothing is kept before a run begins; `variables` keeps local variables with tracebacks."""
        super().__init__()
        self._mask, self._variables = mask, variables
        self._lines: dict[int, collections.deque[LogLine]] = {}
        self._room: dict[int, tuple[int, int]] = {}

    def open(self, run_id: int) -> None:
        """Begin to keep the lines of a run."""
        self._lines[run_id], self._room[run_id] = collections.deque(), (MAX_LINES_A_RUN, MAX_TEXT_A_RUN)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, masked, where it belongs to a run that is open."""
        run_id = current_run().id
        lines, room = self._lines.get(run_id), self._room.get(run_id, (0, 0))
        if lines is None or room[0] <= 0:
            return
        try:
            text = record.getMessage() + self._trace(record)
        except Exception:  # what every handler does with a call that logs wrongly: say so, and let the task go on
            self.handleError(record)
            return
        text = self._mask(text)[:MAX_LINE]
        room = (room[0] - 1, room[1] - len(text))
        if min(room) <= 0:
            text = f"the log is cut here: a run keeps {MAX_LINES_A_RUN} lines of {MAX_TEXT_A_RUN:,} characters in all"
            room = (0, 0)
        self._room[run_id] = room
        file, line = place(record.pathname), record.lineno or None
        lines.append(LogLine(run_id, _instant(record), record.levelname[:16], record.name[:255], text, file, line))

    def _trace(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return "" if error is None else "\n" + tracebacks.render(error, self._mask, self._variables).rstrip()

    def take(self, run_id: int) -> list[LogLine]:
        """The lines kept since the last call."""
        lines = self._lines.get(run_id, collections.deque())
        return [lines.popleft() for _ in range(len(lines))]

    def give_back(self, lines: Iterable[LogLine]) -> None:
        """Return lines that could not be saved, to the front."""
        for line in reversed(list(lines)):
            if line.run_id in self._lines:
                self._lines[line.run_id].appendleft(line)

    def close_run(self, run_id: int) -> list[LogLine]:
        """Stop keeping a run's lines; those not taken yet."""
        lines = self.take(run_id)
        self._lines.pop(run_id, None)
        self._room.pop(run_id, None)
        return lines


def set_up(settings: Settings, mask: Mask, stream: TextIO | None = None, tracebacks: bool = True) -> RunLog:
    """Configure the root logger, once a process; the handler that keeps what runs log."""
    stream = stream or sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    output = logging.StreamHandler(stream)
    output.setFormatter(JsonFormatter(mask) if settings.log_format == "json" else TextFormatter(mask, tracebacks))
    run_log = RunLog(mask, settings.traceback_locals)
    root = logging.getLogger()
    root.handlers[:] = [output, run_log]
    root.setLevel(settings.log_level)
    quieten()
    logging.captureWarnings(True)
    threading.excepthook = _tell_of_dead_thread
    return run_log


@functools.lru_cache(maxsize=1024)
def place(path: str) -> str:
    """A source file as a log tells it: from the working folder, or from the package folder on."""
    for folder in _FOLDERS:
        if path.startswith(folder):
            path = path[len(folder) :]
            break
    return path[-255:]


def quieten() -> None:
    """Set the levels of libraries that say too much."""
    # APScheduler and Alembic tell at INFO what Janitor tells better; pika logs what its exceptions say too.
    for name, level in (("apscheduler", logging.WARNING), ("alembic", logging.WARNING), ("pika", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)


def _tell_of_dead_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
        trace = (what.exc_type, what.exc_value, what.exc_traceback)
        log.critical("the thread %s died", what.thread.name if what.thread else "?", exc_info=trace)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback of a record, from a line of its own: one that it was given as text, or that of its exception."""
    trace = getattr(record, "trace", None) or (formatter.formatException(record.exc_info) if record.exc_info else "")
    return "\n" + trace.rstrip() if trace else ""


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, timezone.utc)
