"""A graph as a picture: layers from left to right, coloured by status, each box a link.

Boxes are jobs that depend on one another, or the steps of a pipeline.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.web.charts.layers import BOX_HEIGHT, Layers, Places, apart, layered, placed, steps
from janitor.web.charts.svg import tag

BOX_WIDTH, ACROSS, EDGE, APART = 190, 70, 10, 24
"""Pixels: a box, the room between two layers, the picture's edge, the room between two groups."""
LETTERS, MOST_WORDS = 22, 40
"""How many letters of a name a box has room for, and of what it says below the name."""


@dataclass(frozen=True)
class Box:
    """A box: what it stands behind, the page that it leads to, what it says, and the class of its colours."""

    id: str
    dependencies: Sequence[str]
    href: str
    words: str
    kind: str
    is_going: bool = False
    is_here: bool = False


@dataclass(frozen=True)
class Shown:
    """What a picture says of its jobs: their statuses, which of them run, and the job whose page this is."""

    statuses: Mapping[str, str]
    running: Collection[str] = ()
    here: str = ""


def around(jobs: Mapping[str, Job], job_id: str | None) -> dict[str, Job]:
    """The jobs to draw: all jobs with an edge; with a job's id, that job and all jobs before and behind it."""
    if job_id is None:
        named = {name for job in jobs.values() for name in job.dependencies}
        return {name: job for name, job in jobs.items() if job.dependencies or name in named}
    wanted = {job_id, *dependencies.before(jobs, job_id), *dependencies.behind(jobs, job_id)}
    return {name: job for name, job in jobs.items() if name in wanted} if len(wanted) > 1 else {}


def picture(jobs: Mapping[str, Job], shown: Shown, whole: bool = False) -> Markup:
    """The graph of `jobs`, as `drawn` draws it."""
    boxes = {name: _box(job, shown) for name, job in jobs.items()}
    return drawn(boxes, f"How {len(jobs)} jobs depend on one another, from left to right", whole)


def drawn(boxes: Mapping[str, Box], label: str, whole: bool = False) -> Markup:
    """A graph as SVG; empty if there are no boxes. `label` is what a screen reader says of it.

    With `whole` it is as wide as the page, else as wide as its boxes need.
    """
    if not boxes:
        return Markup("")
    nodes, edges, columns, top = list[Markup](), list[Markup](), 0, float(EDGE)
    for part in apart(boxes):
        layers = layered(part)
        places, height = placed(layers, top)
        edges += _edges(part, layers, places)
        nodes += _nodes(part, layers, places)
        columns, top = max(columns, len(layers)), top + height + APART
    width, height = 2 * EDGE + columns * (BOX_WIDTH + ACROSS) - ACROSS, top - APART + EDGE
    size = {} if whole else {"width": width, "height": f"{height:g}"}
    return tag(
        "svg",
        tag("g", *edges, id="edges"),
        *nodes,
        class_="graph",
        id="graph",
        data_live="",
        viewBox=f"0 0 {width} {height:g}",
        **size,
        role="group",
        aria_label=label,
    )


def _nodes(boxes: Mapping[str, Box], layers: Layers, places: Places) -> Iterable[Markup]:
    before = set[tuple[str, int]]()
    for column, layer in enumerate(layers):
        for name, _ in layer:
            # The first cell of a name is its box; the cells behind that are lanes.
            if (name, column - 1) not in before:
                yield _node(boxes[name], column, places[name, column])
        before = set(layer)


def _edges(boxes: Mapping[str, Box], layers: Layers, places: Places) -> Iterable[Markup]:
    """Each edge's last piece by itself; for each box, the pieces that its edges share, once."""
    depth = {name: column for column, layer in reversed(list(enumerate(layers))) for name, _ in layer}
    trunks: dict[str, list[str]] = {}
    for start, end in steps(boxes, depth):
        piece = _curve(start[1], places[start], places[end])
        if start[0] != end[0]:
            yield tag("path", class_="edge", data_from=start[0], data_to=end[0], d=piece)
        else:
            lane = f"M{_left(end[1])} {places[end]:g}h{BOX_WIDTH}"
            trunks.setdefault(start[0], []).append(piece + lane)
    for name, pieces in trunks.items():
        yield tag("path", class_="edge", data_from=name, d="".join(pieces))


def _curve(column: int, high: float, low: float) -> str:
    left, right = _left(column) + BOX_WIDTH, _left(column + 1)
    bend = (left + right) / 2
    return f"M{left} {high:g}C{bend:g} {high:g} {bend:g} {low:g} {right} {low:g}"


def _left(column: int) -> int:
    return EDGE + column * (BOX_WIDTH + ACROSS)


def _box(job: Job, shown: Shown) -> Box:
    status, running = shown.statuses[job.id], job.id in shown.running
    words = status.replace("_", " ") + (", running" if running else "")
    words += (", protected" if job.protect else "") + ("" if job.enabled else ", switched off")
    here = job.id == shown.here
    return Box(job.id, job.dependencies, f"/jobs/{job.id}", words, f"o-{status}", running, here)


def _node(box: Box, column: int, middle: float) -> Markup:
    name = box.id if len(box.id) <= LETTERS else f"{box.id[:LETTERS - 1]}…"
    words = box.words if len(box.words) <= MOST_WORDS else f"{box.words[:MOST_WORDS - 1]}…"
    here = {"aria_current": "page"} if box.is_here else {}
    return tag(
        "a",
        tag("title", f"{box.id}: {box.words}"),
        tag("rect", width=BOX_WIDTH, height=BOX_HEIGHT, rx=7),
        tag("text", name, x=12, y=18),
        tag("text", words, x=12, y=34, class_="status"),
        *([tag("circle", cx=BOX_WIDTH - 12, cy=12, r=4)] if box.is_going else []),
        href=box.href,
        id=f"node-{box.id}",
        class_=f"node {box.kind}{' going' if box.is_going else ''}",
        transform=f"translate({_left(column)} {middle - BOX_HEIGHT / 2:g})",
        **here,
    )
