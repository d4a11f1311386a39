"""What a benchmark says: a line with its value, its goal and its rivals, and how values are taken."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOWER_IS_BETTER = {"ms", "s", "MB", "% of a core", "times"}


@dataclass(frozen=True)
class Rival:
    """What else does the same work; `value` is None where it could not be measured, and `note` says why."""

    name: str
    value: float | None
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the table; `met` is None where there is no goal.

    `curve` and `labwares` place its value on a growth curve.
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
        """How many times as good as the rival Janitor is: over 1 it is faster, or smaller."""
        if not rival.value or not self.value:
            return None
        return rival.value / self.value if self.unit in LOWER_IS_BETTER else self.value / rival.value

    def as_json(self) -> dict[str, Any]:
        """The line as latest.json has it."""
        rivals = [
            {"name": one.name, "value": _rounded(one.value), "ratio": _rounded(self.ratio(one)), "note": one.note}
            for one in self.rivals
        ]
        facts = {"name": self.name, "value": _rounded(self.value), "unit": self.unit, "goal": self.goal}
        return facts | {"met": self.met, "rivals": rivals}


def seconds_of(func: Callable[[], object]) -> float:
    """How long one call takes: seconds of wall."""
    began = time.perf_counter()
    func()
    return time.perf_counter() - began


def median_of(func: Callable[[], object], times: int) -> float:
    """The median of several calls: seconds of wall."""
    return statistics.median(seconds_of(func) for _ in range(times))


def peak_mb() -> float:
    """The most memory that this process has had so far: MB (1,000,000 bytes) resident.

    Linux counts into a process's `ru_maxrss` what its parent had when it was started, so it is the kernel's VmHWM.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status has no VmHWM: these benchmarks need Linux")


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
