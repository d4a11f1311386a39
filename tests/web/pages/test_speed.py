"""Pages stay quick with a long history: they cost about as much work as with a short one."""

import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import URL, func, insert, select

from janitor.state.tables import runs
from tests.small_engine import migrated
from tests.web import furniture, house
from tests.web.desks import served
from tests.web.pages.furnished import PAGES
from tests.web.visitor import Visitor

SHORT, LONG = 2_000, 100_000
MOST_TIMES_AS_MUCH = 3.0


@pytest.mark.slow
def test_pages_cost_no_more_with_100_000_runs(tmp_path: Path) -> None:
    filters = ("/history?outcome=failed", "/history?outcome=cancelled", "/history?job=expire_tokens&outcome=failed")
    with ExitStack() as stack:
        short, long = (
            stack.enter_context(served(*_furnished(tmp_path / str(n), n), house.add_jobs)) for n in (SHORT, LONG)
        )
        with long[0].state.read() as connection:
            assert connection.execute(select(func.count()).select_from(runs)).scalar_one() >= LONG
        # Items have costs of their own: see tests/web/queries/test_costs.py.
        pages = [path for path in PAGES if not path.startswith("/pipelines/")]
        for path in (*pages, "/runs/500", *filters, "/history?before=500.9"):
            little, much = (_cost(Visitor(address), path) for _, address in (short, long))
            assert much < MOST_TIMES_AS_MUCH * little, f"{path} costs {much / little:.1f} times as much"


def _furnished(folder: Path, count: int) -> tuple[URL, Path]:
    """A house with a past of so many runs."""
    folder.mkdir()
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state, now = migrated(url), datetime.now(timezone.utc)
    with state.begin() as connection:
        furniture.furnish(connection, now)
        for name in house.NAMES:
            past = furniture.many(name, now - timedelta(days=2), count // len(house.NAMES))
            connection.execute(insert(runs), list(past))
    state.close()
    return url, folder


def _cost(visitor: Visitor, path: str) -> float:
    """The processor's time for a page, the first look apart: a machine that is busy does not make it longer."""
    return median([_seconds(visitor, path) for _ in range(6)][1:])


def _seconds(visitor: Visitor, path: str) -> float:
    began = time.process_time()
    assert visitor.get(path).status == 200
    return time.process_time() - began
