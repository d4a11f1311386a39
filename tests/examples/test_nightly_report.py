"""The example of a nightly report: what is in the files, on which days, and after a kill."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from examples.nightly_report import bakery, tasks
from janitor import databases
from janitor.errors import Skip
from janitor.runs import Run, running
from tests.command_line import ROOT, CommandLine, wait_for

JOBS = str(ROOT / "examples" / "nightly_report" / "jobs.yaml")
NIGHT = datetime(2026, 7, 8, 2, tzinfo=UTC)
WEEK = [date(2026, 7, day) for day in range(1, 8)]


class House:
    """A bakery with a week of sales and a folder for reports."""

    def __init__(self, folder: Path) -> None:
        self.bakery, self.reports = folder / "bakery.db", folder / "reports"
        self.url = f"sqlite:///{self.bakery}"
        with running(Run(started_at=NIGHT)):
            bakery.sell(self.url)

    def report(self, at: datetime = NIGHT, dry_run: bool = False) -> dict[str, int]:
        """Write what is missing, at a moment."""
        with running(Run(slot_at=at, started_at=at + timedelta(hours=30), dry_run=dry_run)):
            return tasks.report(self.url, str(self.reports))

    def days(self, kind: str = "html") -> list[date]:
        """The days that have a report."""
        return sorted(date.fromisoformat(path.stem.removeprefix("sales-")) for path in self.reports.glob(f"*.{kind}"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield House(tmp_path)
    databases.dispose()


def sold(path: Path, day: date) -> dict[str, tuple[int, int]]:
    """The pieces and pence of each product on a day, added up row by row."""
    pieces, pence = Counter[str](), Counter[str]()
    with closing(sqlite3.connect(path)) as db:
        for product, number, price in db.execute(
            "SELECT product, pieces, price_pence FROM sales WHERE substr(sold_at, 1, 10) = ?", [str(day)]
        ):
            pieces[product] += number
            pence[product] += number * price
    return {product: (pieces[product], pence[product]) for product in pieces}


def reported(folder: Path, day: date) -> dict[str, tuple[int, int]]:
    """The same, as the CSV of a day tells it."""
    with (folder / f"sales-{day}.csv").open(encoding="utf-8", newline="") as file:
        return {row["product"]: (int(row["pieces"]), int(row["pence"])) for row in csv.DictReader(file)}


def page(folder: Path, day: date) -> str:
    """The HTML of a day."""
    return (folder / f"sales-{day}.html").read_text(encoding="utf-8")


def test_the_command_of_the_readme_reports_on_a_week(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": JOBS})
    ended = janitor("run", "sales_report", "--with-dependencies")
    assert ended.code == 0 and "reports=7 pieces=5" in ended.out, ended.out + ended.err
    days = sorted(path.stem.removeprefix("sales-") for path in (tmp_path / "var" / "reports").glob("*.html"))
    assert len(days) == 7
    for day in map(date.fromisoformat, days):
        found = reported(tmp_path / "var" / "reports", day)
        assert found == sold(tmp_path / "var" / "bakery.db", day) and len(found) == 4
    again = janitor("run", "sales_report")
    assert (again.code, "each of the last 7 days has its report" in again.out) == (3, True)


def test_each_day_has_its_sales_as_html_and_csv(house: House) -> None:
    assert house.report()["reports"] == 7
    assert house.days("html") == house.days("csv") == WEEK
    for day in WEEK:
        total = sum(pence for _, pence in sold(house.bakery, day).values())
        assert reported(house.reports, day) == sold(house.bakery, day)
        assert f"Sales of {day}" in page(house.reports, day) and f"<th>{total / 100:.2f}</th>" in page(
            house.reports, day
        )
        assert "<td>Bread &amp; butter</td>" in page(house.reports, day)


def test_a_night_without_a_daemon_loses_no_report(house: House) -> None:
    # Given reports up to 7 July; the next run is three nights later; then each day in between has its report.
    house.report()
    assert house.report(NIGHT + timedelta(days=3))["reports"] == 3
    assert house.days() == [*WEEK, date(2026, 7, 8), date(2026, 7, 9), date(2026, 7, 10)]
    assert "Nothing was sold." in page(house.reports, date(2026, 7, 10))


def test_a_report_that_is_there_stays_as_it_is(house: House) -> None:
    house.report()
    (house.reports / "sales-2026-07-03.html").write_text("signed off", encoding="utf-8")
    with pytest.raises(Skip, match="each of the last 7 days has its report"):
        house.report()
    assert page(house.reports, date(2026, 7, 3)) == "signed off"
    (house.reports / "sales-2026-07-03.html").unlink()
    assert house.report()["reports"] == 1
    assert "Sales of 2026-07-03" in page(house.reports, date(2026, 7, 3))


def test_a_dry_run_counts_and_writes_nothing(house: House) -> None:
    counts = house.report(dry_run=True)
    assert counts["reports"] == 7 and not house.reports.exists()
    assert house.report() == counts


@pytest.mark.slow
def test_a_killed_run_leaves_whole_reports_and_goes_on(tmp_path: Path) -> None:
    # Given a run with 400 reports to write, killed after some; run again, all of them are there and whole.
    jobs = Path(JOBS).read_text(encoding="utf-8").replace("kwargs:\n", "kwargs:\n      days: 400\n")
    (tmp_path / "jobs.yaml").write_text(jobs, encoding="utf-8")
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": "jobs.yaml"})
    reports = tmp_path / "var" / "reports"
    assert janitor("run", "bakery").code == 0
    with janitor.started("run", "sales_report") as process:
        wait_for(lambda: len(list(reports.glob("*.html"))) > 3)
        process.kill()
        process.communicate()
    written = {path.name: path.read_bytes() for path in reports.glob("*.html")}
    assert 3 < len(written) < 400
    assert f"reports={400 - len(written)} " in janitor("run", "sales_report").out
    pages = {path.name: path.read_bytes() for path in reports.glob("*.html")}
    assert len(pages) == len(list(reports.glob("*.csv"))) == 400
    assert {name: pages[name] for name in written} == written
    assert [name for name, content in pages.items() if not content.endswith(b"</html>")] == []


DIES_IN_MID_WRITE = """
import resource, signal, sys
from tests.examples.test_nightly_report import NIGHT
from examples.nightly_report import tasks
from janitor.runs import Run, running

signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
with running(Run(started_at=NIGHT)):
    tasks.report(*sys.argv[1:])
"""


def test_a_page_that_was_cut_off_is_no_report(house: House) -> None:
    # Given a process that dies in the middle of a page, after its CSV; the next run writes both.
    arguments = [sys.executable, "-c", DIES_IN_MID_WRITE, house.url, str(house.reports)]
    died = subprocess.run(arguments, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."})
    assert died.returncode == -signal.SIGXFSZ
    assert (house.days("csv"), house.days("html")) == (WEEK[:1], [])
    assert house.report()["reports"] == 7
    assert page(house.reports, WEEK[0]).endswith("</html>")
    assert house.days("html") == house.days("csv") == WEEK


def test_a_sale_at_midnight_is_of_the_day_that_begins(tmp_path: Path, database_url: URL) -> None:
    engine = create_engine(database_url)
    with engine.begin() as db:
        db.execute(text(bakery.TABLE))
        for number, moment in enumerate(("2026-07-06 23:59:59", "2026-07-07 00:00:00", "2026-07-07 23:59:59"), 1):
            values = {"id": number, "pieces": 10**number, "at": moment}
            db.execute(text("INSERT INTO sales VALUES (:id, 'Rye loaf', :pieces, 2, :at)"), values)
    engine.dispose()
    with running(Run(started_at=NIGHT)):
        counts = tasks.report(database_url.render_as_string(hide_password=False), str(tmp_path / "reports"), days=2)
    databases.dispose()
    assert counts == {"reports": 2, "pieces": 1_110}
    assert reported(tmp_path / "reports", date(2026, 7, 6)) == {"Rye loaf": (10, 20)}
    assert reported(tmp_path / "reports", date(2026, 7, 7)) == {"Rye loaf": (1_100, 2_200)}
    assert "<th>22.00</th>" in page(tmp_path / "reports", date(2026, 7, 7))
