"""The growth curves as a picture: the same figures give the same file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[int, float, str]]
STYLE: Any = {"svg.hashsalt": "janitor", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False}
TO_SECONDS = {"ms": 1e-3, "s": 1.0}


def draw(path: Path, curves: Mapping[str, Points]) -> None:
    """Draw the curves of time into an SVG file: seconds over labwares, both logarithmic. Rates become seconds."""
    import matplotlib  # late: it takes long, and few need it

    matplotlib.use("svg")
    from matplotlib import pyplot

    with matplotlib.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
        labels = []
        for name, points in curves.items():
            seconds = [(size, _seconds(size, value, unit)) for size, value, unit in points]
            known = [(size, value) for size, value in seconds if value]
            if known:
                line = axes.plot(*zip(*known), marker="o")[0]
                labels.append((known[-1][1], name, line.get_color()))
        _label(axes, labels)
        axes.set(xscale="log", yscale="log", xlabel="labwares", ylabel="seconds", title="Growth with the warehouse")
        axes.spines["right"].set_visible(False)
        axes.grid(alpha=0.3)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)


def _seconds(size: int, value: float, unit: str) -> float | None:
    if unit == "rows/s":
        return size / value
    return value * TO_SECONDS[unit] if unit in TO_SECONDS else None


def _label(axes: "Axes", labels: list[tuple[float, str, Any]]) -> None:
    """Name each line at its end; no name covers another."""
    lowest = 0.0
    for value, name, color in sorted(labels, key=lambda one: one[:2]):
        height = max(value, lowest)
        lowest = height * 1.6
        axes.annotate(
            name, (1.01, height), xycoords=("axes fraction", "data"), color=color, va="center", annotation_clip=False
        )
