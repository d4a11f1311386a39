"""The settings of labware_location: its two databases, and how reconcile treats them."""

from pydantic import Field

from janitor.settings import DatabaseUrl, SettingsGroup


class LabwareLocationSettings(SettingsGroup):
    """Where labwares are read and written, and what reconcile may do there."""

    labwhere_database_url: DatabaseUrl | None = Field(None, description="LabWhere, read only: a database URL")
    mlwh_database_url: DatabaseUrl | None = Field(None, description="MLWH: a database URL")
    labware_location_delete_orphans: bool = Field(
        False, description="let reconcile delete rows of labware that no longer exists: true or false"
    )
    load_limit_threads_running: int | None = Field(
        None, ge=1, description="reconcile pauses while a server runs more threads than this: threads; off if empty"
    )
