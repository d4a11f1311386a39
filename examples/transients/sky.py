"""The world around the example: a survey of the sky that finds 500 transients, made up from their numbers alone."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

COUNT = 500
FIRST_AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Transient:
    """A light in the sky that was not there before; `ra` and `dec` are degrees."""

    name: str
    ra: float
    dec: float
    found_at: datetime


def survey(count: int = COUNT) -> list[Transient]:
    """All that the survey finds, in the order in which it finds them."""
    return [_transient(number) for number in range(count)]


def random_of(name: str, step: str) -> random.Random:
    """Chance that is the same each time for a transient and a step."""
    return random.Random(f"{name} {step}")


def _transient(number: int) -> Transient:
    chance = random.Random(number)
    return Transient(
        f"AT2026{number:04}",
        round(chance.uniform(0, 360), 5),
        round(chance.uniform(-90, 90), 5),
        FIRST_AT + timedelta(minutes=7 * number),
    )
