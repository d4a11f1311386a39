"""The dependency graph as a picture: layers from left to right, coloured by status, each job a link."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.web.markup import Html, filled

WIDTH, HEIGHT, THIN = 190, 44, 10
"""A job's box, and the height of the lane in which an edge passes the boxes of a layer between its ends."""
ACROSS, DOWN, EDGE, APART = 70, 14, 10, 24
LETTERS = 22
SWEEPS = 4

Cell = tuple[str, int]
"""A place in a layer, by its number: the box of a job, or in a later layer the lane of the edges that leave it."""
Layers = list[list[Cell]]
Places = dict[Cell, float]


@dataclass(frozen=True)
class Shown:
    """What a picture says of the jobs in it: their statuses, which of them run, and on whose page it stands."""

    statuses: Mapping[str, str]
    running: Collection[str] = ()
    here: str = ""


def around(jobs: Mapping[str, Job], job_id: str | None) -> dict[str, Job]:
    """The jobs of a graph: all that depend on one another, or with a job's id all before and behind that one."""
    if job_id is None:
        named = {name for job in jobs.values() for name in job.dependencies}
        return {name: job for name, job in jobs.items() if job.dependencies or name in named}
    wanted = {job_id, *dependencies.before(jobs, job_id), *dependencies.behind(jobs, job_id)}
    return {name: job for name, job in jobs.items() if name in wanted} if len(wanted) > 1 else {}


def picture(jobs: Mapping[str, Job], shown: Shown, whole: bool = False) -> Html:
    """The graph of `jobs` as SVG, `whole` as wide as the page has room for; nothing for no jobs."""
    if not jobs:
        return Html("")
    drawn, columns, top = list[Html](), 0, float(EDGE)
    edges: list[Html] = []
    for part in apart(jobs):
        layers = layered(part)
        places, height = _placed(layers, top)
        edges += _edges(part, layers, places)
        drawn += [
            _node(part[name], column, places[name, column], shown)
            for column, layer in enumerate(layers)
            for name, _ in layer
            if _is_box(part, name, column, layers)
        ]
        columns, top = max(columns, len(layers)), top + height + APART
    width, height = 2 * EDGE + columns * (WIDTH + ACROSS) - ACROSS, top - APART + EDGE
    head = '<svg class="graph" id="graph" data-live="" viewBox="0 0 {} {}"{} role="group" aria-label="{}">'
    size = Html("") if whole else filled(' width="{}" height="{}"', width, f"{height:g}")
    label = f"How {len(jobs)} jobs depend on one another, from left to right"
    start = filled(head, width, f"{height:g}", size, label)
    return Html(f'{start}<g id="edges">{"".join(edges)}</g>{"".join(drawn)}</svg>')


def apart(jobs: Mapping[str, Job]) -> list[dict[str, Job]]:
    """Jobs in groups that have nothing to do with one another."""
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
    found: dict[int, dict[str, Job]] = {}
    for name, job in jobs.items():
        found.setdefault(group[name], {})[name] = job
    return list(found.values())


def layered(jobs: Mapping[str, Job]) -> Layers:
    """Jobs in layers, each behind all that it depends on, with lanes for long edges, in an order with few crossings."""
    depth = _depths(jobs)
    reach = dict(depth)
    for name, other in _pairs(jobs):
        reach[other] = max(reach[other], depth[name] - 1)
    layers: Layers = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in depth:
        for column in range(depth[name], reach[name] + 1):
            layers[column].append((name, column))
    before, behind = dict[Cell, list[Cell]](), dict[Cell, list[Cell]]()
    for start, end in _steps(jobs, depth):
        before.setdefault(end, []).append(start)
        behind.setdefault(start, []).append(end)
    last = len(layers) - 1
    for sweep in range(SWEEPS):
        for at in range(1, last + 1) if sweep % 2 == 0 else range(last - 1, -1, -1):
            fixed, beside = (layers[at - 1], before) if sweep % 2 == 0 else (layers[at + 1], behind)
            _sort(layers[at], fixed, beside)
    return layers


def _depths(jobs: Mapping[str, Job]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for name in dependencies.order(jobs):
        if name in jobs:
            depth[name] = 1 + max((depth[other] for other in jobs[name].dependencies if other in jobs), default=-1)
    return depth


def _pairs(jobs: Mapping[str, Job]) -> Iterable[tuple[str, str]]:
    """Each job with each of its dependencies among `jobs`."""
    return ((job.id, other) for job in jobs.values() for other in job.dependencies if other in jobs)


def _steps(jobs: Mapping[str, Job], depth: Mapping[str, int]) -> Iterable[tuple[Cell, Cell]]:
    """Each piece of an edge from one layer to the next."""
    found: dict[tuple[Cell, Cell], None] = {}
    for name, other in _pairs(jobs):
        for column in range(depth[other], depth[name] - 1):
            found[(other, column), (other, column + 1)] = None
        found[(other, depth[name] - 1), (name, depth[name])] = None
    return found


def _sort(layer: list[Cell], fixed: list[Cell], beside: Mapping[Cell, list[Cell]]) -> None:
    """Put each cell of a layer where its neighbours in the next one are on average: the barycentre rule."""
    row = {cell: at / len(fixed) for at, cell in enumerate(fixed)}
    own = {cell: at / len(layer) for at, cell in enumerate(layer)}
    means = {cell: [row[other] for other in beside.get(cell, ())] or [own[cell]] for cell in layer}
    layer.sort(key=lambda cell: sum(means[cell]) / len(means[cell]))


def _is_box(jobs: Mapping[str, Job], name: str, column: int, layers: Layers) -> bool:
    return column == 0 or (name, column - 1) not in layers[column - 1]


def _placed(layers: Layers, top: float) -> tuple[Places, float]:
    """Where the middle of each cell is, below `top`, and how high it all is."""
    taken = set[Cell](cell for layer in layers for cell in layer)
    high = {cell: THIN if (cell[0], cell[1] - 1) in taken else HEIGHT + DOWN for cell in taken}
    heights = [sum(high[cell] for cell in layer) for layer in layers]
    places: Places = {}
    for layer, height in zip(layers, heights, strict=True):
        at = top + (max(heights) - height) / 2
        for cell in layer:
            places[cell] = at + high[cell] / 2
            at += high[cell]
    return places, float(max(heights))


def _edges(jobs: Mapping[str, Job], layers: Layers, places: Places) -> Iterable[Html]:
    """Each edge's last piece by itself, and what comes before it once for all edges that leave a job."""
    depth = {name: column for column, layer in reversed(list(enumerate(layers))) for name, _ in layer}
    trunks: dict[str, list[str]] = {}
    for start, end in _steps(jobs, depth):
        piece = _curve(start[1], places[start], places[end])
        if start[0] != end[0]:
            yield filled('<path class="edge" data-from="{}" data-to="{}" d="{}"/>', start[0], end[0], piece)
        else:
            lane = _left(end[1])
            trunks.setdefault(start[0], []).append(f"{piece}M{lane} {places[end]:g}h{WIDTH}")
    for name, pieces in trunks.items():
        yield filled('<path class="edge" data-from="{}" d="{}"/>', name, "".join(pieces))


def _curve(column: int, high: float, low: float) -> str:
    left, right = _left(column) + WIDTH, _left(column + 1)
    bend = (left + right) / 2
    return f"M{left} {high:g}C{bend:g} {high:g} {bend:g} {low:g} {right} {low:g}"


def _left(column: int) -> int:
    return EDGE + column * (WIDTH + ACROSS)


def _node(job: Job, column: int, middle: float, shown: Shown) -> Html:
    status, running = shown.statuses[job.id], job.id in shown.running
    name = job.id if len(job.id) <= LETTERS else f"{job.id[:LETTERS - 1]}…"
    words = status.replace("_", " ") + (", running" if running else "")
    more = (", protected" if job.protect else "") + ("" if job.enabled else ", switched off")
    return filled(
        '<a href="/jobs/{}" id="node-{}" class="node o-{}{}" transform="translate({} {})"{}><title>{}</title>'
        '<rect width="{}" height="{}" rx="7"/><text x="12" y="18">{}</text>'
        '<text x="12" y="34" class="status">{}</text>{}</a>',
        job.id,
        job.id,
        status,
        " going" if running else "",
        _left(column),
        f"{middle - HEIGHT / 2:g}",
        Html(' aria-current="page"') if job.id == shown.here else Html(""),
        f"{job.id}: {words}{more}",
        WIDTH,
        HEIGHT,
        name,
        words + more,
        filled('<circle cx="{}" cy="12" r="4"/>', WIDTH - 12) if running else Html(""),
    )
