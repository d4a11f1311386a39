"""What people were told."""

from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.state.deliveries import GIVEN_UP
from janitor.state.tables import deliveries, notices
from janitor.web.queries import models

MOST_NOTICES = 100


def notice_list(connection: Connection, job: str | None = None, limit: int = MOST_NOTICES) -> models.NoticeList:
    """What people were told, of one job or of all: notices that are open, that are over, and failed deliveries."""
    query = select(notices) if job is None else select(notices).where(notices.c.job == job)
    going_on = connection.execute(query.where(notices.c.ended_at.is_(None)).order_by(notices.c.id).limit(limit)).all()
    # Of the newest some are open, as many as there are at the most: so nothing is looked for.
    newest = connection.execute(query.order_by(notices.c.id.desc()).limit(limit + len(going_on))).all()
    return models.NoticeList(
        open=[_notice(row) for row in going_on],
        ended=[_notice(row) for row in newest if row.ended_at is not None][:limit],
        undelivered=_undelivered(connection, limit),
    )


def _undelivered(connection: Connection, limit: int) -> list[models.DeliveryLine]:
    """The deliveries that are tried again, then those that were given up."""
    failing = deliveries.c.outcome.is_(None) & (deliveries.c.tries > 0)
    found = list[Row[Any]]()
    for condition in (failing, deliveries.c.outcome == GIVEN_UP):
        query = select(deliveries).where(condition).order_by(deliveries.c.due_at.desc()).limit(limit)
        found += connection.execute(query)
    return [_delivery(row) for row in found[:limit]]


def _notice(row: Row[Any]) -> models.NoticeLine:
    fields = ("id", "rule", "job", "text", "began_at", "told_at", "ended_at")
    return models.NoticeLine(**{name: getattr(row, name) for name in fields}, run=row.run_id)


def _delivery(row: Row[Any]) -> models.DeliveryLine:
    fields = ("id", "channel", "kind", "added_at", "tries", "outcome", "ended_at", "reason")
    return models.DeliveryLine(**{name: getattr(row, name) for name in fields}, notice=row.notice_id)
