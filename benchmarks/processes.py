"""Work in new processes: nothing that ran before touches their memory or speed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 1_800.0


class Failed(Exception):
    """Raised when a process ended without a result; the text has the end of its output."""


def python(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run `python -m module arguments...`, and return the JSON object on its last line.

    Raises:
        Failed: it ended otherwise, or took longer than half an hour.
    """
    return result_of([sys.executable, "-m", module, *arguments], environment or {})


def result_of(
    command: list[str], environment: Mapping[str, str], seconds: float = LONGEST_SECONDS, note: str = ""
) -> dict[str, Any]:
    """Run a command, and return the JSON object on its last line.

    Raises:
        Failed: it ended otherwise, or took longer than `seconds`.
    """
    try:
        ended = subprocess.run(
            command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as exc:
        raise Failed(f"not done after {seconds:g} s") from exc
    if ended.returncode:
        raise Failed(f"{note or command[2]} ended with {ended.returncode}: {ended.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return found
