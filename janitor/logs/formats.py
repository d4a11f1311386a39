"""A log line as text or as JSON."""

import json
import logging
from datetime import datetime, timezone
from typing import Any

import orjson

from janitor.logs.mask import Mask
from janitor.runs import Outcome, current_run


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
        at = f"{instant(record):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
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
            "time": f"{instant(record):%Y-%m-%dT%H:%M:%S.%fZ}",
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


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback of a record, from a line of its own: one that it was given as text, or that of its exception."""
    trace = getattr(record, "trace", None) or (formatter.formatException(record.exc_info) if record.exc_info else "")
    return "\n" + trace.rstrip() if trace else ""


def instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, timezone.utc)


def facts_of(job: str, outcome: Outcome, reason: str, run_id: int | None = None) -> dict[str, Any]:
    """What a line says of a run that is not the current one, as `extra` for the log: JSON lines have it as fields."""
    of_run = {} if run_id is None else {"run_id": run_id}
    return {"facts": {"job": job, **of_run, "outcome": outcome.value, "reason": reason}}
