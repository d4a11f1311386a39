"""What the table must hold, by flagship.md: read everything, decide in plain Python, one labware after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from tests.tasks.rows import Tables, moment

COLUMNS = (
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
)
REQUIRED = ("labware_barcode", "location_barcode", "full_location_address", "location_name", "stored_by")
LONGEST = 255

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Expected:
    """By barcode: the rows of labware that can be synced, and the barcodes of those that cannot."""

    rows: Rows
    quarantined: set[str]


def expected(labwhere: Engine) -> Expected:
    """What each labware comes to as LabWhere is now."""
    source = Tables(labwhere)
    users = {row["id"]: row["login"] for row in source.all("users", "id", "login")}
    locations = {row["id"]: row for row in source.all("locations", "id", "name", "barcode", "parentage")}
    names = ("id", "position", "row", "column", "location_id")
    coordinates = {row["id"]: row for row in source.all("coordinates", *names)}
    latest: dict[int, dict[str, Any]] = {}
    for audit in source.all("audits", "id", "auditable_type", "auditable_id", "user_id", "updated_at"):
        if audit["auditable_type"] == "Labware":
            held = latest.get(audit["auditable_id"])
            if held is None or audit["id"] > held["id"]:
                latest[audit["auditable_id"]] = audit
    rows: Rows = {}
    quarantined: set[str] = set()
    for labware in source.all("labwares", "id", "barcode", "location_id", "coordinate_id"):
        if labware["id"] not in latest:
            continue
        audit = latest[labware["id"]]
        coordinate = coordinates.get(labware["coordinate_id"], {})
        place = locations.get(coordinate.get("location_id"), {})
        if not place.get("barcode"):
            place = locations.get(labware["location_id"], {})
        row = {
            "labware_barcode": labware["barcode"],
            "location_barcode": place.get("barcode"),
            "full_location_address": place.get("parentage"),
            "location_name": place.get("name"),
            "coordinate_position": coordinate.get("position"),
            "coordinate_row": coordinate.get("row"),
            "coordinate_column": coordinate.get("column"),
            "lims_id": "LabWhere",
            "stored_by": users.get(audit["user_id"]),
            "stored_at": moment(audit["updated_at"]),
        }
        if fits(row):
            rows[labware["barcode"]] = row
        else:
            quarantined.add(labware["barcode"] or f"labware {labware['id']}")
    return Expected(rows, quarantined)


def fits(row: Mapping[str, Any]) -> bool:
    """Whether the table can take it."""
    if any(row[name] is None for name in REQUIRED) or not row["location_barcode"] or not row["stored_by"]:
        return False
    return all(len(row[name]) <= LONGEST for name in REQUIRED)


def stored(mlwh: Engine) -> Rows:
    """The rows that the table holds, by barcode, without ids and times of writing."""
    rows = Tables(mlwh).all("labware_location", *COLUMNS)
    return {row["labware_barcode"]: row | {"stored_at": moment(row["stored_at"])} for row in rows}


def merged(before: Rows, now: Rows) -> Rows:
    """What the table must hold after a sync of `now`: of each labware the latest known."""
    return {**before, **now}
