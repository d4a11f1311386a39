"""The first task: write a report on each of the last days that has no report."""

import csv
import io
import logging
from collections.abc import Sequence
from datetime import date, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment
from sqlalchemy import URL, Row, make_url

from janitor import databases
from janitor.errors import Skip
from janitor.runs import current_run

PACKAGE = "examples.nightly_report"

log = logging.getLogger(__name__)


def report(database: str, folder: str, days: int = 7) -> dict[str, int]:
    """Write a report on each of the last `days` days that has no report; today is left out. Days are in UTC.

    A report that is there stays as it is. Each file gets its name once it is whole, so a run that is cut off leaves no
    half report. The next run writes the rest.

    Raises:
        Skip: each day has its report.
    """
    run, url = current_run(), make_url(database)
    wanted = [day for day in last_days(days) if not path_of(folder, day, "html").exists()]
    if not wanted:
        raise Skip(f"each of the last {days} days has its report")
    pieces = 0
    for number, day in enumerate(wanted, 1):
        sales = _sales(url, day)
        pieces += sum(int(sale.pieces) for sale in sales)
        if not run.dry_run:
            # The HTML comes last: a day with an HTML file is done.
            _write(path_of(folder, day, "csv"), _as_csv(sales))
            _write(path_of(folder, day, "html"), _as_html(day, sales))
            log.info("wrote %s", path_of(folder, day, "html"))
        run.progress(number, len(wanted), note=str(day))
    return {"reports": len(wanted), "pieces": pieces}


def last_days(days: int) -> list[date]:
    """Return the last `days` days before the day of the run, the oldest first. Days are in UTC."""
    run = current_run()
    today = (run.slot_at or run.started_at).astimezone(timezone.utc).date()
    return [today - timedelta(days=back) for back in range(days, 0, -1)]


def path_of(folder: str, day: date, kind: str) -> Path:
    """Return the path of a day's file; `kind` is html, csv or mailed."""
    return Path(folder) / f"sales-{day}.{kind}"


def _sales(url: URL, day: date) -> Sequence[Row[Any]]:
    query, next_day = databases.statement(PACKAGE, "select_sales.sql"), day + timedelta(days=1)
    with databases.read(url) as db:
        return db.execute(query, {"day": str(day), "next_day": str(next_day)}).all()


def _as_csv(sales: Sequence[Row[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([("product", "pieces", "pence"), *sales])
    return text.getvalue()


def _as_html(day: date, sales: Sequence[Row[Any]]) -> str:
    template = resources.files(PACKAGE).joinpath("report.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(template).render(day=day, sales=sales)


def _write(path: Path, text: str) -> None:
    """Write a file beside `path` and let it take that name: nobody sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)
