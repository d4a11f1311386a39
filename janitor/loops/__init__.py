"""Loops: what a process does again and again in the background, and what no error may end."""

from janitor.loops.duty import Duty, Trouble, named_errors, no_error
from janitor.loops.loop import Loop
from janitor.loops.loops import Loops

__all__ = ["Duty", "Loop", "Loops", "Trouble", "named_errors", "no_error"]
