"""What a check found: one sentence, and whether it is as it must be."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """A sentence that says what and where, and for what is wrong also what to do."""

    verdict: Literal["ok", "note", "WRONG"]
    text: str


def ok(text: str) -> Finding:
    """As it must be."""
    return Finding("ok", text)


def note(text: str) -> Finding:
    """Nothing wrong, but worth knowing."""
    return Finding("note", text)


def wrong(text: str) -> Finding:
    """A person must change something."""
    return Finding("WRONG", text)
