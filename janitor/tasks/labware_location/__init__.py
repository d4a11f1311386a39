"""labware_location: the latest known location of every labware, from LabWhere into a table of MLWH."""

from janitor.needs import DatabaseNeed, FeedNeed
from janitor.tasks.labware_location.settings import LabwareLocationSettings
from janitor.tasks.labware_location.sync import audits, follow, reconcile, target

__all__ = ["NEEDS", "LabwareLocationSettings", "follow", "reconcile"]

NEEDS = (
    DatabaseNeed(
        "LABWHERE_DATABASE_URL",
        reads={
            "audits": ("id", "auditable_type", "auditable_id", "user_id", "updated_at"),
            "labwares": ("id", "barcode", "location_id", "coordinate_id"),
            "coordinates": ("id", "position", "row", "column", "location_id"),
            "locations": ("id", "name", "barcode", "parentage"),
            "users": ("id", "login"),
        },
        whole_numbers={"audits": ("id", "auditable_id"), "labwares": ("id",)},
    ),
    DatabaseNeed(
        "MLWH_DATABASE_URL",
        writes={
            "labware_location": (
                "id",
                "labware_barcode",
                "location_barcode",
                "full_location_address",
                "location_name",
                "coordinate_position",
                "coordinate_row",
                "coordinate_column",
                "lims_id",
                "stored_by",
                "stored_at",
                "created_at",
                "updated_at",
            )
        },
        deletes={"labware_location": "LABWARE_LOCATION_DELETE_ORPHANS"},
        uses=(target,),
    ),
    FeedNeed("LABWHERE_DATABASE_URL", audits),
)
