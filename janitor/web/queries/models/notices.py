"""What people were told."""

from datetime import datetime

from pydantic import Field

from janitor.web.queries.models.model import Model


class NoticeLine(Model):
    """One thing that people were told, until it is over."""

    id: int
    rule: str
    job: str
    run: int | None
    text: str
    began_at: datetime
    told_at: datetime
    ended_at: datetime | None


class DeliveryLine(Model):
    """A notice that a channel did not take."""

    id: int
    notice: int
    channel: str
    kind: str
    added_at: datetime
    tries: int
    outcome: str | None = Field(description="None while it is tried again.")
    ended_at: datetime | None
    reason: str | None


class NoticeList(Model):
    """What people were told."""

    open: list[NoticeLine] = Field(description="Notices that are not over, the oldest first.")
    ended: list[NoticeLine] = Field(description="The last notices that are over, the newest first.")
    undelivered: list[DeliveryLine] = Field(description="The last deliveries that failed or are tried again.")
