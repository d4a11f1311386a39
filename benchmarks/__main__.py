"""`python -m benchmarks`: start private servers, fill them, measure, print a table, write files."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import click

from benchmarks import (
    catching_up,
    demo_load,
    examined,
    full_sync,
    growth,
    idle,
    items,
    jobs_file,
    labware_tick,
    machine,
    many_jobs,
    picture,
    publishing,
    reconcile,
    recording,
    report,
    sequencing_tick,
    servers,
    sizes,
    start_up,
)
from benchmarks.house import House, built
from benchmarks.measures import Line
from benchmarks.servers import Servers

RESULTS = Path(__file__).with_name("results")
T = TypeVar("T")
Measure = Callable[[House, bool], list[Line]]

GROWING: dict[str, Measure] = {
    "full_sync": full_sync.measure,
    "growth": growth.ticks_of,
    "labware_tick": labware_tick.measure,
    "sequencing_tick": sequencing_tick.measure,
    "reconcile": reconcile.measure,
    "examined": examined.measure,
    "memory": growth.memory_of,
}
"""What is measured at every size; its rivals only at the largest size."""

ONCE: dict[str, Measure] = {
    "publishing": publishing.measure,
    "catching_up": catching_up.measure,
    "start_up": start_up.measure,
    "recording": recording.measure,
    "jobs_file": jobs_file.measure,
    "many_jobs": many_jobs.measure,
    "idle": idle.measure,
    "demo_load": demo_load.measure,
    "sizes": sizes.measure,
    "items": items.measure,
}
"""What is measured only at the largest size."""


@click.command()
@click.option("--labwares", default=100_000, show_default=True, type=click.IntRange(min=2_000), help="How many.")
@click.option("--only", multiple=True, type=click.Choice([*GROWING, *ONCE]), help="Measure this alone; repeatable.")
@click.option("--output", default=RESULTS, show_default=True, type=click.Path(path_type=Path, file_okay=False))
def main(labwares: int, only: Sequence[str], output: Path) -> None:
    """Measure Janitor beside its rivals, with 10,000, 100,000, ... and --labwares labwares, on servers of its own."""
    began = time.perf_counter()
    with servers.started() as running:
        lines = measured(running, labwares, only or [*GROWING, *ONCE])
        about = machine.facts(running) | {"labwares": labwares}
    lines += growth.measure(lines)
    report.print_table(lines)
    report.write(output, lines, about | {"minutes": round((time.perf_counter() - began) / 60, 1)})
    picture.draw(output / "growth.svg", report.curves(lines))
    sys.exit(0 if all(line.met is not False for line in lines) else 1)


def measured(running: Servers, labwares: int, names: Sequence[str]) -> list[Line]:
    """Return all lines, in the order in which they were measured."""
    sizes = [size for size in (10_000, 100_000, 1_000_000) if size < labwares] + [labwares]
    lines: list[Line] = []
    with ExitStack() as houses:
        house: House | None = None
        for size in sizes:
            house = _told(f"filling {size:,} labwares", lambda: houses.enter_context(built(running, size, house)))
            work = GROWING if size < labwares else GROWING | ONCE
            for name in (name for name in work if name in names):
                lines += _told(f"{name} at {size:,}", lambda: work[name](house, size == labwares))
    return lines


def _told(what: str, func: Callable[[], T]) -> T:
    began = time.perf_counter()
    returned = func()
    print(f"{what}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return returned


if __name__ == "__main__":
    main()
