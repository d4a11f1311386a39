"""LabWhere in the hands of a test: people scan labware, move and rename locations, and delete things."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from tests.tasks.rows import Tables

START = datetime(2026, 7, 1, 9, 0, 0)


class LabWhere(Tables):
    """Its tables, and the things that happen there; audits are a second apart unless a moment is given."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.now = START

    def user(self, login: str | None = "ab1") -> int:
        """A person."""
        return self.add("users", login=login, created_at=START, updated_at=START)

    def location(
        self, name: str | None = "Shelf 1", barcode: str | None = None, parentage: str | None = "Room / Freezer"
    ) -> int:
        """A place to stand in. Without `barcode` it gets a made-up barcode; with an empty text it gets none."""
        code = f"lw-{uuid.uuid4().hex[:10]}" if barcode is None else barcode or None
        values = {"name": name, "barcode": code, "parentage": parentage, "uuid": str(uuid.uuid4())}
        return self.add("locations", **values, created_at=START, updated_at=START)

    def coordinate(self, location: int, position: int = 14, row: int = 2, column: int = 5) -> int:
        """A place in a box."""
        values = {"position": position, "row": row, "column": column, "location_id": location}
        return self.add("coordinates", **values, created_at=START, updated_at=START)

    def labware(self, barcode: str | None, location: int | None = None, coordinate: int | None = None) -> int:
        """A labware that nobody has scanned."""
        values = {"barcode": barcode, "location_id": location, "coordinate_id": coordinate, "uuid": str(uuid.uuid4())}
        return self.add("labwares", **values, created_at=START, updated_at=START)

    def audit(
        self, kind: str | None, of: int | None, user: int | None, at: datetime | None = None, **values: Any
    ) -> int:
        """Somebody did something to a labware or a location."""
        if at is None:
            self.now += timedelta(seconds=1)
            at = self.now
        return self.add(
            "audits",
            auditable_type=kind,
            auditable_id=of,
            user_id=user,
            action="scan",
            uuid=str(uuid.uuid4()),
            created_at=at,
            updated_at=at,
            **values,
        )

    def scan(
        self,
        labware: int,
        user: int | None,
        location: int | None = None,
        coordinate: int | None = None,
        at: datetime | None = None,
    ) -> int:
        """Somebody put a labware somewhere: its row changes and an audit says so; the audit's id."""
        self.change("labwares", {"id": labware}, location_id=location, coordinate_id=coordinate)
        return self.audit("Labware", labware, user, at)
