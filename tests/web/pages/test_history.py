"""The history: page by page to its beginning, and filtered."""

import re

from sqlalchemy import Executable, func, select, union_all

from janitor.state.tables import actions, runs
from tests.web.pages.furnished import House
from tests.web.visitor import Page


def test_the_history_is_read_in_pages_to_its_beginning(made: House) -> None:
    ids = select(runs.c.id).where(runs.c.job == "labware_location").order_by(runs.c.id.desc())
    pages, there = undisturbed(made, ids, "/history?what=runs&job=labware_location")
    assert [int(link.removeprefix("/runs/")) for page in pages for link in page.links("/runs/")] == there
    counts = union_all(*(select(func.count()).select_from(table) for table in (runs, actions)))
    pages, there = undisturbed(made, counts, "/history?until=2100-01-01")
    assert sum(page.text.count("<tr>") - 1 for page in pages) == sum(there)


def undisturbed(made: House, query: Executable, path: str) -> tuple[list[Page], list[int]]:
    """The pages from one to the oldest, and what a query finds before and after: a slot may come due meanwhile."""

    def found() -> list[int]:
        with made.state.read() as connection:
            return list(connection.execute(query).scalars())

    for _ in range(3):
        before, pages, link = found(), list[Page](), path
        while link:
            pages.append(made.operator.get(link))
            link = pages[-1].link("Older") or ""
            assert link != pages[-1].path
        if found() == before:
            return pages, before
    raise AssertionError("a run began whenever the history was read")


def test_the_history_is_filtered(made: House) -> None:
    failed = made.operator.get("/history?outcome=failed&job=labware_location")
    assert "cut off after 60 s" in failed.words and "broker" not in failed.words
    assert set(re.findall(r"badge o-(\w+)", failed.text)) == {"failed"}
    done = made.operator.get("/history?what=actions&job=expire_tokens")
    assert "by anna" in done.words and not done.links("/runs/")
    assert "Nothing on record fits" in made.operator.get("/history?until=2001-01-01").words
    assert made.operator.get("/history?before=nonsense").status == 422
