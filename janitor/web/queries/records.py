"""From rows of the state database to models."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from janitor.jobs import schedules
from janitor.jobs.counts import stored, whole_sum
from janitor.state.progress import read, tree
from janitor.web.queries import models

PUBLISHED = ("published",)
ROWS = ("inserted", "updated", "deleted", "repaired")
"""The counts by which runs tell how many messages they published, and how many rows they changed."""
MOST_PARTS = 3
"""So many parts of a run are shown among others; the run's page has all."""
MOST = 10**15
"""What one run counts at most of them: no chart shows more, and MySQL refuses a sum beyond its largest number."""


def run_line(row: Row[Any]) -> models.RunLine:
    """One row of the table `runs`, or of `recent.LINE`."""
    fields = fields_of(row, models.RunLine)
    return models.RunLine(**fields | {"outcome": row.outcome or "running", "counts": stored(row.counts)})


def bar(row: Row[Any]) -> models.Bar:
    """One row of the table `runs`, or of `recent.BAR`, for a strip."""
    return models.Bar(**fields_of(row, models.Bar) | {"outcome": row.outcome or "running"})


def going(row: Row[Any], now: datetime) -> models.Going:
    """A run that has no outcome yet."""
    return models.Going(
        id=row.id,
        job=row.job,
        started_at=row.started_at,
        seconds=max(0.0, (now - row.started_at).total_seconds()),
        dry_run=row.dry_run,
        stop_asked_by=row.stop_asked_by,
        progress=progress(getattr(row, "progress", None), MOST_PARTS),
    )


def point(row: Row[Any]) -> models.Point:
    """A run that has ended, for the charts."""
    told = stored(row.counts) or {}
    numbers = {name: value for name, value in told.items() if type(value) in (int, float)}
    changed, published = (min(MOST, whole_sum(map(numbers.get, names)) or 0) for names in (ROWS, PUBLISHED))
    fields = {"id": row.id, "outcome": row.outcome, "started_at": row.started_at, "seconds": row.seconds or 0.0}
    return models.Point(**fields, rows=changed, published=published, counts=numbers)


def attempt(row: Row[Any]) -> models.AttemptLine:
    """One row of the table `attempts`."""
    seconds = max(0.0, (row.ended_at - row.started_at).total_seconds())
    return models.AttemptLine(**fields_of(row, models.AttemptLine, "seconds"), seconds=seconds)


def quarantine_line(row: Row[Any]) -> models.QuarantineLine:
    """One row of `quarantine.listing`."""
    fields = fields_of(row, models.QuarantineLine)
    return models.QuarantineLine(**fields | {"last_at": None if row.last_at == schedules.EPOCH else row.last_at})


def progress(text: str | None, most: int | None = None) -> models.Part | None:
    """What a run reported, as a tree; None if it reported nothing. With `most`, only its first parts."""
    if not text:
        return None
    told = {"/".join(filter(None, path.split("/"))): node for path, node in read(text).items()}
    # Each stands before its own parts, so that the first of them are a tree too.
    nodes = list(tree(told).items())
    shown = nodes if most is None else nodes[: most + 1]
    parts: dict[str, models.Part] = {}
    for path, node in shown:
        parts[path] = part = _part(path, node, len(nodes) - len(shown) if path == "" else 0)
        if path:
            parts[path.rpartition("/")[0]].parts.append(part)
    return parts.get("")


def _part(path: str, node: Mapping[str, Any], left_out: int) -> models.Part:
    done, total = node["done"], node["total"]
    share = min(1.0, max(0.0, done / total)) if done is not None and total else None
    note, name = str(node.get("note", "")), path.rpartition("/")[2]
    return models.Part(name=name, done=done, total=total, share=share, note=note, parts=[], left_out=left_out)


def fields_of(row: Row[Any], model: type[models.Model], *without: str) -> dict[str, Any]:
    """The columns of a row that a model has as fields of the same names."""
    return {name: getattr(row, name) for name in model.model_fields if name not in without}
