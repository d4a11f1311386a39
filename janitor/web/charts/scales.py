"""Scales: the round values beside a chart."""

import math
from dataclasses import dataclass

UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0))


@dataclass(frozen=True)
class Tick:
    """A value on an axis, and the text beside it."""

    value: float
    text: str


def count_scale(most: float) -> list[Tick]:
    """A scale for numbers of things: 0, a round value that is `most` or higher, and their middle."""
    top = _round_up(most)
    return [Tick(value, _count(value)) for value in (0.0, top / 2, top)]


def seconds_scale(most: float) -> list[Tick]:
    """A scale for durations of at most `most` seconds, in the unit that fits: ms, s, min or h."""
    small = ("ms", 0.001) if most < 0.2 else ("s", 1.0)
    unit, factor = next(((unit, factor) for unit, factor in UNITS if most >= 2 * factor), small)
    top = _round_up(most / factor)
    return [Tick(value * factor, f"{value:g} {unit}" if value else "0") for value in (0.0, top / 2, top)]


def _count(value: float) -> str:
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:g}"


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 5, 10) if value <= factor * power * (1 + 1e-9))
