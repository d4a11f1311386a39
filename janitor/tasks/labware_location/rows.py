"""From LabWhere to rows of the table: which labwares, what each row holds, and which cannot have one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import URL

from janitor import databases, pages
from janitor.state.quarantine import Quarantined
from janitor.statements import statement

PAGE_ROWS = 5_000
PACKAGE = "janitor.tasks.labware_location"


class Found(NamedTuple):
    """A row of select_labwares.sql: a labware, its latest audit (None without one), and a row of the target to be."""

    labware_id: int
    audit_id: int | None
    labware_barcode: str | None
    location_barcode: str | None
    full_location_address: str | None
    location_name: str | None
    coordinate_position: int | None
    coordinate_row: int | None
    coordinate_column: int | None
    stored_by: str | None
    stored_at: str | None


class Target(NamedTuple):
    """A row of labware_location, as the sink takes it."""

    labware_barcode: str | None
    location_barcode: str | None
    full_location_address: str | None
    location_name: str | None
    coordinate_position: int | None
    coordinate_row: int | None
    coordinate_column: int | None
    stored_by: str | None
    stored_at: datetime | None


@dataclass(frozen=True)
class Derived:
    """What some labwares come to: rows for the target, the labware's id for each barcode, and those without a row."""

    checked: frozenset[int]
    rows: Sequence[Target]
    ids: dict[str, int]
    rejected: Sequence[Quarantined]
    without_audit: int

    def refused(self, key: str, reason: str) -> Quarantined:
        """A row that the target refused."""
        return Quarantined(key, reason, str(self.ids.get(key, "")))


def of_labwares(url: URL, labware_ids: Iterable[int]) -> Iterator[Derived]:
    """Derive the rows of these labwares, a page at a time; ids that no labware has come to nothing."""
    wanted = sorted(labware_ids)
    for start in range(0, len(wanted), PAGE_ROWS):
        page = wanted[start : start + PAGE_ROWS]
        found = _select(url, "WHERE labwares.id IN :labware_ids", ("labware_ids",), {"labware_ids": page})
        yield _derive(found, frozenset(page))


def of_all_labwares(url: URL, after: int = 0) -> Iterator[tuple[int, Derived]]:
    """Derive the rows of all labwares with an id above `after`, a page at a time, each with the last id of its page."""
    where = "WHERE labwares.id > :after ORDER BY labwares.id LIMIT :page_rows"
    while True:
        found = _select(url, where, (), {"after": after, "page_rows": PAGE_ROWS})
        if not found:
            return
        after = found[-1].labware_id
        yield after, _derive(found, frozenset(row.labware_id for row in found))
        if len(found) < PAGE_ROWS:
            return


def standing_in(url: URL, location_id: int) -> Iterator[list[int]]:
    """The labwares that stand in a location, or at one of its coordinates, in pages of ids."""
    with databases.read(url) as connection:
        query = statement(PACKAGE, "select_ordered_labwares.sql")
        ordered = list(connection.execute(query, {"location_id": location_id}).scalars())
    yield ordered
    after: int | None = 0
    while after is not None:
        parameters = {"location_id": location_id, "after": after, "page_rows": PAGE_ROWS}
        with databases.read(url) as connection:
            query = statement(PACKAGE, "select_unordered_labwares.sql")
            page = list(connection.execute(query, parameters).scalars())
        yield page
        after = page[-1] if len(page) == PAGE_ROWS else None


def existing(url: URL, barcodes: Sequence[str]) -> set[str]:
    """Those of the barcodes that some labware has, without regard to case, case-folded."""
    query = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    with databases.read(url) as connection:
        return {barcode.casefold() for barcode in connection.execute(query, {"barcodes": barcodes}).scalars()}


def _select(url: URL, where: str, lists: tuple[str, ...], parameters: dict[str, Any]) -> Sequence[Found]:
    query = statement(PACKAGE, "select_labwares.sql", *lists, where=where)
    return sorted(pages.fetch(url, query, parameters, Found))


def _derive(found: Sequence[Found], checked: frozenset[int]) -> Derived:
    rows: list[Target] = []
    ids: dict[str, int] = {}
    rejected: list[Quarantined] = []
    without_audit = 0
    for row in found:
        if row.audit_id is None:
            without_audit += 1
        elif reason := _problem(row):
            key = row.labware_barcode or f"labware {row.labware_id}"
            rejected.append(Quarantined(key, reason, str(row.labware_id)))
        else:
            made = _target(row)
            rows.append(made)
            ids[str(made.labware_barcode)] = row.labware_id
    return Derived(checked, rows, ids, rejected, without_audit)


def _target(row: Found) -> Target:
    # What may not be null is refused by the sink, with the reason in words.
    return Target(
        row.labware_barcode,
        row.location_barcode,
        row.full_location_address,
        row.location_name,
        row.coordinate_position,
        row.coordinate_row,
        row.coordinate_column,
        row.stored_by,
        datetime.fromisoformat(row.stored_at) if row.stored_at else None,
    )


def _problem(row: Found) -> str | None:
    if not row.labware_barcode:
        return f"labware {row.labware_id} has no barcode"
    if not row.location_barcode:
        return f"labware {row.labware_barcode!r} stands in no location that has a barcode"
    if not row.stored_by:
        return f"the latest audit ({row.audit_id}) of labware {row.labware_barcode!r} has no user with a login"
    return None
