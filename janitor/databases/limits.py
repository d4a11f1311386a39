"""The time limits of every statement and of every attempt to connect."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How many seconds one statement may take, and how many connecting may take."""

    statement_seconds: float = 60.0
    connect_seconds: float = 10.0
