"""Logging set up for a test, and what it keeps."""

import io

from janitor.logs import set_up
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.settings import Settings


def logging_to(stream: io.StringIO, mask: Mask | None = None, **environ: str) -> RunLog:
    return set_up.set_up(Settings.load(environ, None), mask or Mask(), stream)


def said(run_log: RunLog, run_id: int) -> list[str]:
    return [line.message for line in run_log.take(run_id)]
