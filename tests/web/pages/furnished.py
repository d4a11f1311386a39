"""A daemon with a furnished house, and who visits its pages."""

from dataclasses import dataclass

from sqlalchemy import func, select

from janitor.state import State
from janitor.state.tables import actions, runs
from janitor.web import addresses
from tests.web import parcels
from tests.web.visitor import Page, Visitor

PASSWORD = "a long way home"

ITEM = addresses.of_item(parcels.NAME, parcels.ODD)
PAGES = (
    *("/", "/jobs", "/jobs/labware_location", "/jobs/sequencing_publisher", "/history", "/notices"),
    *("/pipelines", "/pipelines/parcels", "/pipelines/parcels/letters", ITEM),
)


@dataclass(frozen=True)
class House:
    """A daemon with a furnished house, and who visits it."""

    operator: Visitor
    viewer: Visitor
    state: State

    def run_of(self, job: str, outcome: str) -> int:
        """The newest run of a job that ended so."""
        query = select(func.max(runs.c.id)).where(runs.c.job == job, runs.c.outcome == outcome)
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one())

    def said(self) -> list[tuple[str, str, str | None]]:
        """The audit lines so far, the newest first."""
        with self.state.read() as connection:
            rows = connection.execute(select(actions).order_by(actions.c.id.desc())).all()
        return [(row.actor, row.action, row.job) for row in rows]


def every_page(made: House) -> list[Page]:
    """Each kind of page, as an operator sees it."""
    failed = made.run_of("sequencing_publisher", "failed")
    more: tuple[str, ...] = (
        f"/runs/{failed}",
        f"/runs/{made.run_of('labware_location', 'missed')}",
        "/nowhere",
        "/jobs/nobody",
    )
    more += ("/jobs/labware_location?dropped=true", "/history?what=actions", "/history?what=runs&outcome=failed")
    more += ("/jobs/parcels.match", "/pipelines/parcels?key=DN00&state=failed", addresses.of_item("parcels", "DN0000"))
    return [made.operator.get(path) for path in (*PAGES, *more)]
