"""What a benchmark returns: lines with a value, a goal and rivals; and how values are taken."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOWER_IS_BETTER = {"ms", "s", "MB", "% of a core", "times"}


@dataclass(frozen=True)
class Rival:
    """Something else that does the same work. `value` is None if it could not be measured; `note` says why."""

    name: str
    value: float | None
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the table; `met` is None if there is no goal.

    `curve` and `labwares` place the value on a growth curve.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None
    rivals: Sequence[Rival] = field(default_factory=tuple)
    curve: str = ""
    labwares: int = 0

    def ratio(self, rival: Rival) -> float | None:
        """Return how many times as good as the rival Janitor is: over 1, Janitor is faster or smaller."""
        if not rival.value or not self.value:
            return None
        return rival.value / self.value if self.unit in LOWER_IS_BETTER else self.value / rival.value

    def as_json(self) -> dict[str, Any]:
        """Return the line as latest.json has it."""
        rivals = [
            {
                "name": rival.name,
                "value": _rounded(rival.value),
                "ratio": _rounded(self.ratio(rival)),
                "note": rival.note,
            }
            for rival in self.rivals
        ]
        facts = {"name": self.name, "value": _rounded(self.value), "unit": self.unit, "goal": self.goal}
        return facts | {"met": self.met, "rivals": rivals}


@dataclass
class Clocked:
    """A task that notes how long each call took, within its recorded run."""

    func: Callable[[Any], object]
    seconds: list[float] = field(default_factory=list)

    def __call__(self, settings: Any) -> object:
        """Call the task."""
        began = time.perf_counter()
        try:
            return self.func(settings)
        finally:
            self.seconds.append(time.perf_counter() - began)


def seconds_of(func: Callable[[], object]) -> float:
    """Return how many seconds a call takes, by the wall clock."""
    began = time.perf_counter()
    func()
    return time.perf_counter() - began


def median_of(func: Callable[[], object], times: int) -> float:
    """Return the median of several calls, in seconds of the wall clock."""
    return statistics.median(seconds_of(func) for _ in range(times))


def peak_mb() -> float:
    """Return the most resident memory that this process has had: MB (1,000,000 bytes).

    It is the kernel's VmHWM: in `ru_maxrss` Linux also counts the parent's memory at the start.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status has no VmHWM: these benchmarks need Linux")


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
