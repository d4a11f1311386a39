"""Warming: the first page finds compiled what it needs, and a state database that is away does no harm."""

from pathlib import Path

from sqlalchemy import URL

from janitor.web.serving import warming
from tests.explained import noted
from tests.web.desks import add_jobs, ask, served


def test_each_template_and_the_overview_are_made_ready(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, add_jobs) as (desk, address):
        with noted() as sends:
            steps = list(warming.steps(desk))
        assert {"overview.html", "jobs.html", "the overview"} <= set(steps)
        warmed = {sent.shape for sent in sends}
        with noted() as sends:
            assert ask(f"{address}/", Accept="text/html").status == 200
        # What is left is the frame of a page: how many notices are open.
        assert len({sent.shape for sent in sends} - warmed) <= 1


def test_a_state_database_that_is_away_does_no_harm(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, add_jobs) as (desk, _):
        (tmp_path / "state.db").unlink()
        assert list(warming.steps(desk))[-1] == "the overview"
