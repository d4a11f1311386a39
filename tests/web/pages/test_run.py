"""The page of a run: its neighbours, its log, its progress."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import URL, insert

from janitor.state.tables import run_logs
from tests.small_engine import migrated, remember_run
from tests.web import house
from tests.web.desks import served
from tests.web.pages.furnished import House
from tests.web.visitor import Visitor


def test_a_run_leads_to_its_neighbours(made: House) -> None:
    run = made.run_of("labware_location", "missed")
    page = made.operator.get(f"/runs/{run}")
    before, after = (one.get("href") for tag, one in page.read.tags if one.get("rel") in ("prev", "next"))
    assert made.operator.get(str(before)).links("/jobs/")[0] == "/jobs/labware_location"
    assert f"/runs/{run}" in made.operator.get(str(after)).links("/runs/")


def test_a_log_is_filtered_by_level_and_read_in_pages(made: House) -> None:
    run = made.run_of("labware_location", "succeeded") - 1
    at = datetime.now(timezone.utc)
    line = {"run_id": run, "at": at, "logger": "x"}
    with made.state.begin() as connection:
        rows = [
            line | {"level": "ERROR" if n % 100 == 0 else "INFO", "message": f"line {n} of it"} for n in range(1203)
        ]
        connection.execute(insert(run_logs), rows)
    lines, path = list[str](), str(made.operator.get(f"/runs/{run}").path)
    while path:
        page = made.operator.get(path)
        lines += re.findall(r"<span>line (\d+) of it", page.text)
        path = page.link("More") or ""
    assert lines == [str(n) for n in range(1203)]
    errors = re.findall(r"<span>line (\d+) of it", made.operator.get(f"/runs/{run}?level=ERROR").text)
    assert errors == [str(n) for n in range(0, 1203, 100)]


def test_a_bar_moves_only_while_a_run_goes_on(tmp_path: Path) -> None:
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(timezone.utc)
    state = migrated(url)
    progress = json.dumps({"": {"done": 3024, "total": None, "note": "up to labware 3024"}})
    for hours, outcome in ((1, None), (2, "succeeded")):
        at = now - timedelta(hours=hours)
        ended = {"ended_at": at, "seconds": 1.0} if outcome else {}
        remember_run(state, "nightly_reconcile", at, outcome, progress=progress, **ended)
    state.close()
    with served(url, tmp_path, house.add_jobs) as (_, address):
        going, over = [Visitor(address).get(f"/runs/{run}") for run in (1, 2)]
    assert "<progress" in going.text and "<progress" not in over.text
    assert "3,024" in going.words and "3,024" in over.words and "up to labware 3024" in over.words
