"""The settings of sequencing_publisher: its two databases, what it publishes, and where to."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from janitor.settings import DatabaseUrl, Day, Settings, SettingsGroup, Zone


class SequencingPublisherSettings(SettingsGroup):
    """Which statuses are read and published, and in which form."""

    mlwh_database_url: DatabaseUrl | None = Field(None, description="MLWH: a database URL")
    mlwh_events_database_url: DatabaseUrl | None = Field(None, description="MLWH Events, read only: a database URL")
    mlwh_timezone: Zone = Field(ZoneInfo("UTC"), description="the zone of the dates in iseq_run_status: a tz name")
    sequencing_run_changes_job_enabled: bool = Field(
        True, description="false turns both sequencing_publisher jobs off: true or false"
    )
    sequencing_publisher_since: Day | None = Field(
        None, description="publish statuses set on or after this day: YYYY-MM-DD; only new statuses if empty"
    )
    sequencing_publisher_encoding: Literal["binary", "json"] = Field(
        "binary", description="one Avro message per row (binary), or Avro JSON lines (json)"
    )
    sequencing_publisher_group_size: int = Field(
        100,
        ge=1,
        le=10_000,
        description="rows under way at most, which a crash may repeat, and rows a message with json: rows",
    )
    sequencing_publisher_exchange: str = Field(
        "sequencing_run_status", min_length=1, description="the durable fanout exchange that is published to"
    )
    sequencing_publisher_unroutable: Literal["fail", "drop"] = Field(
        "fail", description="what to do if no queue is bound: fail the run, or drop the message"
    )


def switch(settings: Settings) -> bool | str:
    """Whether both jobs may run: True, or the sentence that says what switched them off."""
    own = settings.of(SequencingPublisherSettings)
    return own.sequencing_run_changes_job_enabled or "SEQUENCING_RUN_CHANGES_JOB_ENABLED=false"
