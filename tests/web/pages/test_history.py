"""The history: page by page to its beginning, and filtered."""

import re

from sqlalchemy import func, select

from janitor.state.tables import actions, runs
from tests.web.pages.furnished import House


def test_the_history_is_read_in_pages_to_its_beginning(made: House) -> None:
    path, seen = "/history?what=runs&job=labware_location", list[int]()
    while path:
        page = made.operator.get(path)
        seen += [int(link.removeprefix("/runs/")) for link in page.links("/runs/")]
        path = page.link("Older") or ""
        assert path != page.path
    with made.state.read() as connection:
        ids = connection.execute(select(runs.c.id).where(runs.c.job == "labware_location").order_by(runs.c.id.desc()))
        assert seen == list(ids.scalars())
    both, path = 0, "/history?until=2100-01-01"
    while path:
        page = made.operator.get(path)
        both += page.text.count("<tr>") - 1
        path = page.link("Older") or ""
        assert path != page.path
    with made.state.read() as connection:
        counted = [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (runs, actions)
        ]
    assert both == sum(counted)


def test_the_history_is_filtered(made: House) -> None:
    failed = made.operator.get("/history?outcome=failed&job=labware_location")
    assert "cut off after 60 s" in failed.words and "broker" not in failed.words
    assert set(re.findall(r"badge o-(\w+)", failed.text)) == {"failed"}
    done = made.operator.get("/history?what=actions&job=expire_tokens")
    assert "by anna" in done.words and not done.links("/runs/")
    assert "Nothing on record fits" in made.operator.get("/history?until=2001-01-01").words
    assert made.operator.get("/history?before=nonsense").status == 422
