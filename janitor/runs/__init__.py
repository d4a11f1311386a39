"""The run that this code is part of: what a task may ask of it, and how it can end."""

from janitor.runs.outcome import Fence, Outcome, PastItem, PastRun
from janitor.runs.run import Run, current_run, running

__all__ = [
    "Fence",
    "Outcome",
    "PastItem",
    "PastRun",
    "Run",
    "current_run",
    "running",
]
