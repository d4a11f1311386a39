"""The jobs beside the pipeline: what finds new transients, and what draws the page."""

import html
from collections.abc import Mapping
from pathlib import Path

from examples.transients.sky import Transient, survey
from janitor import items, memory
from janitor.items import New
from janitor.runs import current_run

NAME = "transients"
AT_ONCE = 100
"""So many transients the survey finds at a time."""


def ingest() -> dict[str, int]:
    """Add the next transients that the survey has found, the oldest first."""
    found, known = survey(), int(memory.cursor("ingest") or 0)
    news = found[known : known + AT_ONCE]
    added = items.add_all(NAME, [_new(one) for one in news], on_duplicate="ignore")
    # After the items are committed: if this is killed here, they come again, and are the same items.
    memory.save_cursor("ingest", str(known + len(news)))
    return {"found": len(news), "added": added}


def render(folder: Path) -> dict[str, int]:
    """Write a page with the classes of all transients, and with how many items are where."""
    classes: dict[str, int] = {}
    for item in items.find(NAME, step="classify", status="processed"):
        name = item.results["classify"]["class"]
        classes[name] = classes.get(name, 0) + 1
        current_run().progress(sum(classes.values()))
    if not current_run().dry_run:
        beside = folder / ".index.html"
        beside.write_text(page(classes, items.counts(NAME)), encoding="utf-8")
        beside.replace(folder / "index.html")
    return {"classified": sum(classes.values())}


def page(classes: Mapping[str, int], counts: Mapping[str, Mapping[str, int]]) -> str:
    """The page, as HTML."""
    rows = "".join(f"<tr><td>{html.escape(name)}<td>{count}" for name, count in sorted(classes.items()))
    steps = "".join(
        f"<tr><td>{html.escape(step)}<td>{html.escape(status)}<td>{count}"
        for step, statuses in counts.items()
        for status, count in sorted(statuses.items())
    )
    return (
        f"<!doctype html><title>Transients</title><h1>Transients</h1>"
        f"<h2>Classes</h2><table>{rows}</table><h2>Steps</h2><table>{steps}</table>"
    )


def _new(one: Transient) -> New:
    return New(one.name, {"ra": one.ra, "dec": one.dec}, order_at=one.found_at)
