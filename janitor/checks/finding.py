"""What a check found: one sentence, and whether it is as it must be."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """A sentence that says what was found; if something is wrong, it also says what to do."""

    verdict: Literal["ok", "note", "WRONG"]
    text: str


def ok(text: str) -> Finding:
    """A finding that is as it must be."""
    return Finding("ok", text)


def note(text: str) -> Finding:
    """A finding that is not wrong, but worth knowing."""
    return Finding("note", text)


def wrong(text: str) -> Finding:
    """A finding that a person must act on."""
    return Finding("WRONG", text)
