"""Formats: a log line as text or as JSON."""

import json
import logging
from datetime import datetime, timezone
from typing import Any

import orjson

from janitor.logs import tracebacks
from janitor.logs.escapes import LAID_OUT, visible
from janitor.logs.mask import Mask
from janitor.runs import Outcome, bounds, current_run
from janitor.runs.bounds import shortened


class TextFormatter(logging.Formatter):
    """`time LEVEL logger [job run] message`, and below it the traceback, if there is one."""

    def __init__(self, mask: Mask, tracebacks: bool = True) -> None:
        """Without `tracebacks` a line stays one line."""
        super().__init__()
        self._mask, self._tracebacks = mask, tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        run = current_run()
        job = f" [{run.job} {run.id}]" if run.id else ""
        # One line for each fact, also if a text of others has several lines.
        message = _message(self._mask, record)
        at = f"{instant(record):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
        text = visible(f"{at}Z {record.levelname} {record.name}{job} {message}", keep="\t")
        if self._tracebacks:
            text += visible(self._mask(_trace(self._mask, record)), keep=LAID_OUT)
        return text


class JsonFormatter(logging.Formatter):
    """A line is one JSON object: time, level, event, logger, job, run_id, and the keys of `extra={"facts": ...}`."""

    def __init__(self, mask: Mask) -> None:
        """`mask` takes the secrets out of what others say."""
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """One record as JSON."""
        run = current_run()
        fields: dict[str, Any] = {
            "time": f"{instant(record):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname.lower(),
            "event": _message(self._mask, record),
            "logger": record.name,
            **({"job": run.job, "run_id": run.id} if run.id else {}),
            **self._mask.value(getattr(record, "facts", {})),
            **({"traceback": self._mask(trace)} if (trace := _trace(self._mask, record).strip()) else {}),
        }
        try:
            return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError:  # numbers beyond 64 bits, half a surrogate pair
            return json.dumps(fields, default=str)


def _message(mask: Mask, record: logging.LogRecord) -> str:
    """What a record says; while a line of many megabytes is written, every other line would wait."""
    return shortened(mask(record.getMessage()), bounds.LOG_LINE)


def _trace(mask: Mask, record: logging.LogRecord) -> str:
    """The traceback of a record, beginning with a new line: the text in `trace`, or that of its exception."""
    error = record.exc_info[1] if record.exc_info else None
    trace = getattr(record, "trace", None) or ("" if error is None else tracebacks.render(error, mask))
    return "\n" + trace.rstrip() if trace else ""


def instant(record: logging.LogRecord) -> datetime:
    """When a record was made, aware UTC."""
    return datetime.fromtimestamp(record.created, timezone.utc)


def facts_of(job: str, outcome: Outcome, reason: str, run_id: int | None = None) -> dict[str, Any]:
    """The `extra` of a log line about a run other than the current run; a JSON line has it as keys."""
    of_run = {} if run_id is None else {"run_id": run_id}
    return {"facts": {"job": job, **of_run, "outcome": outcome.value, "reason": reason}}
