"""Where each job of the dependency graph stands, or each step of a pipeline: in layers, from left to right.

    layer 0   layer 1   layer 2      Each job stands one layer behind the last job that it depends on.
      a ------- b ------- d          An edge that is longer than one layer (a to e) passes the layers
        `-------(a)------ e          between in a lane: a cell as the boxes are, only lower.
      c --------'

1. `apart` cuts the jobs into groups without a common edge. The groups are drawn below one another.
2. `layered` gives each job its layer, and long edges their lanes.
3. Then it sorts each layer, so that few edges cross: a cell goes to the average place of its neighbours in the layer
   before. This is the barycentre rule. The sorting goes from left to right, and back, four times in all.
4. `placed` stacks the cells of each layer, in the middle of the drawing's height.

The layout is our own: Graphviz would be a program to install beside Janitor. 300 jobs take about 25 ms here.
"""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Protocol, TypeVar

BOX_HEIGHT, LANE_HEIGHT, GAP = 44, 10, 14
"""Pixels: a job's box, the lane of an edge between boxes, and the room below a box."""
SWEEPS = 4


class Linked(Protocol):
    """A job, or a step: what stands behind others."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def dependencies(self) -> Sequence[str]:
        """What it stands behind."""


One = TypeVar("One", bound=Linked)
Cell = tuple[str, int]
"""A job and a layer: the job's box, or in a later layer the lane of the edges that leave the job."""
Layers = list[list[Cell]]
Places = dict[Cell, float]
"""The middle of each cell: pixels from the top."""


def apart(jobs: Mapping[str, One]) -> list[dict[str, One]]:
    """The jobs in groups: no edge leads from one group to another."""
    beside: dict[str, list[str]] = {name: [] for name in jobs}
    for name, other in _pairs(jobs):
        beside[name].append(other)
        beside[other].append(name)
    group: dict[str, int] = {}
    for number, start in enumerate(jobs):
        waiting = [start]
        while waiting:
            if (name := waiting.pop()) not in group:
                group[name] = number
                waiting += beside[name]
    found: dict[int, dict[str, One]] = {}
    for name, job in jobs.items():
        found.setdefault(group[name], {})[name] = job
    return list(found.values())


def layered(jobs: Mapping[str, Linked]) -> Layers:
    """The cells of each layer, from top to bottom, in an order with few crossings."""
    depth = _depths(jobs)
    layers = _filled(jobs, depth)
    before, behind = dict[Cell, list[Cell]](), dict[Cell, list[Cell]]()
    for start, end in steps(jobs, depth):
        before.setdefault(end, []).append(start)
        behind.setdefault(start, []).append(end)
    last = len(layers) - 1
    for sweep in range(SWEEPS):
        for at in range(1, last + 1) if sweep % 2 == 0 else range(last - 1, -1, -1):
            fixed, beside = (layers[at - 1], before) if sweep % 2 == 0 else (layers[at + 1], behind)
            _sort(layers[at], fixed, beside)
    return layers


def _depths(jobs: Mapping[str, Linked]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for name in TopologicalSorter({job.id: job.dependencies for job in jobs.values()}).static_order():
        if name in jobs:
            depth[name] = 1 + max((depth[other] for other in jobs[name].dependencies if other in jobs), default=-1)
    return depth


def _filled(jobs: Mapping[str, Linked], depth: Mapping[str, int]) -> Layers:
    """Each job's box in its layer, and its lanes as far as its longest edge reaches."""
    reach = dict(depth)
    for name, other in _pairs(jobs):
        reach[other] = max(reach[other], depth[name] - 1)
    layers: Layers = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in depth:
        for column in range(depth[name], reach[name] + 1):
            layers[column].append((name, column))
    return layers


def _pairs(jobs: Mapping[str, Linked]) -> Iterable[tuple[str, str]]:
    """Each job with each of its dependencies that is among `jobs`."""
    return ((job.id, other) for job in jobs.values() for other in job.dependencies if other in jobs)


def steps(jobs: Mapping[str, Linked], depth: Mapping[str, int]) -> Iterable[tuple[Cell, Cell]]:
    """The pieces of all edges, each from one layer to the next; edges from one job share their first pieces."""
    found: dict[tuple[Cell, Cell], None] = {}
    for name, other in _pairs(jobs):
        for column in range(depth[other], depth[name] - 1):
            found[(other, column), (other, column + 1)] = None
        found[(other, depth[name] - 1), (name, depth[name])] = None
    return found


def _sort(layer: list[Cell], fixed: list[Cell], beside: Mapping[Cell, list[Cell]]) -> None:
    """Sort a layer by the average place of each cell's neighbours in the `fixed` layer beside it."""
    row = {cell: at / len(fixed) for at, cell in enumerate(fixed)}
    own = {cell: at / len(layer) for at, cell in enumerate(layer)}
    means = {cell: [row[other] for other in beside.get(cell, ())] or [own[cell]] for cell in layer}
    layer.sort(key=lambda cell: sum(means[cell]) / len(means[cell]))


def placed(layers: Layers, top: float) -> tuple[Places, float]:
    """The place of each cell, below `top`, and the height of all: pixels."""
    taken = set[Cell](cell for layer in layers for cell in layer)
    high = {cell: LANE_HEIGHT if (cell[0], cell[1] - 1) in taken else BOX_HEIGHT + GAP for cell in taken}
    heights = [sum(high[cell] for cell in layer) for layer in layers]
    places: Places = {}
    for layer, height in zip(layers, heights, strict=True):
        at = top + (max(heights) - height) / 2
        for cell in layer:
            places[cell] = at + high[cell] / 2
            at += high[cell]
    return places, float(max(heights))
