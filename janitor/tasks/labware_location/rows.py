"""From LabWhere to rows of the table: which labwares there are, what each row holds, and which have no row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import URL, TextClause

from janitor import databases
from janitor.databases import statement
from janitor.errors import Rejected
from janitor.memory import Quarantined
from janitor.table_sink import TableSink, TextPage

PAGE_ROWS = 5_000
BEFORE_ALL = -(2**63)
"""No labware has a lower id: ids may be negative."""
BARCODES_BYTES = 250_000
"""So many bytes of barcodes go into one statement: a server may take only a megabyte, and quoting may double them."""
PACKAGE = "janitor.tasks.labware_location"


class Found(NamedTuple):
    """A row of select_labwares.sql: a labware, its latest audit, and a row of the target to be."""

    labware_id: int
    audit_id: int
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
    """What some labwares come to: rows for the target, and labwares that can have no row, each with the reason.

    `ids` has the labware's id for each barcode. `checked` are the ids that were looked at; `without_audit` is how many
    of them have no audit.
    """

    checked: frozenset[int]
    rows: Sequence[Target]
    ids: dict[str, int]
    rejected: Sequence[Quarantined]
    without_audit: int

    def refused(self, key: str, reason: str) -> Quarantined:
        """A row that the target refused."""
        return Quarantined(key, reason, str(self.ids.get(key, "")))


class Span(NamedTuple):
    """A page of labwares in the order of their ids: the ids above `after`, up to `last`, and how many labwares."""

    after: int
    last: int
    labwares: int


def of_labwares(url: URL, labware_ids: Iterable[int]) -> Iterator[Derived]:
    """Derive the rows of these labwares, a page at a time; an id without a labware gives no row."""
    wanted = sorted(labware_ids)
    for start in range(0, len(wanted), PAGE_ROWS):
        page = wanted[start : start + PAGE_ROWS]
        query = statement(PACKAGE, "select_labwares.sql", "labware_ids", which="audits.auditable_id IN :labware_ids")
        found = sorted(databases.fetch(url, query, {"labware_ids": page}, Found))
        _whole(url, *(row.labware_id for row in found[:1]))
        known = {row.labware_id for row in found}
        yield _derive(found, frozenset(page), _count_existing(url, [id for id in page if id not in known]))


def spans(url: URL, after: int = BEFORE_ALL) -> Iterator[Span]:
    """The pages of all labwares with an id above `after`.

    Raises:
        Rejected: the ids are not whole numbers.
    """
    query = statement(PACKAGE, "select_page.sql")
    while True:
        with databases.read(url) as connection:
            labwares, last = connection.execute(query, {"after": after, "page_rows": PAGE_ROWS}).one()
        _whole(url, last)
        if labwares:
            yield Span(after, last, labwares)
        if labwares < PAGE_ROWS:
            return
        after = last


def of_spans(url: URL, walk: Iterable[Span]) -> Iterator[tuple[Span, Derived]]:
    """Derive the rows of pages of labwares."""
    for span in walk:
        found = sorted(databases.fetch(url, *_of_span(span), Found))
        checked = frozenset(row.labware_id for row in found)
        yield span, _derive(found, checked, max(0, span.labwares - len(found)))


def texts_of_span(url: URL, sink: TableSink, span: Span) -> tuple[Span, TextPage]:
    """A page of labwares as texts, equal to the texts of their rows in the sink; a labware without a text by its id."""
    return span, sink.wanted(url, *_of_span(span), "labware_id")


def _of_span(span: Span) -> tuple[TextClause, dict[str, Any]]:
    which = "audits.auditable_id > :after AND audits.auditable_id <= :last"
    return statement(PACKAGE, "select_labwares.sql", which=which), {"after": span.after, "last": span.last}


def _whole(url: URL, *ids: object) -> None:
    for id in ids:
        if id is not None and not isinstance(id, int):
            raise Rejected(
                f"labwares.id at {databases.place(url)} holds {id!r}, and this task needs whole numbers there"
            )


def _count_existing(url: URL, labware_ids: Sequence[int]) -> int:
    if not labware_ids:
        return 0
    query = statement(PACKAGE, "select_existing.sql", "labware_ids")
    with databases.read(url) as connection:
        return len(connection.execute(query, {"labware_ids": labware_ids}).all())


def standing_in(url: URL, location_id: int) -> Iterator[list[int]]:
    """The labwares that stand in a location, or at one of its coordinates, in pages of ids."""
    with databases.read(url) as connection:
        query = statement(PACKAGE, "select_ordered_labwares.sql")
        ordered = list(connection.execute(query, {"location_id": location_id}).scalars())
    yield ordered
    after: int | None = BEFORE_ALL
    while after is not None:
        parameters = {"location_id": location_id, "after": after, "page_rows": PAGE_ROWS}
        with databases.read(url) as connection:
            query = statement(PACKAGE, "select_unordered_labwares.sql")
            page = list(connection.execute(query, parameters).scalars())
        yield page
        after = page[-1] if len(page) == PAGE_ROWS else None


def with_barcodes(url: URL, barcodes: Sequence[str]) -> dict[int, str]:
    """The labwares with these barcodes: the barcode of each labware's id.

    MySQL and MariaDB find a barcode in any case; SQLite finds it only as it is written.
    """
    query = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    if len(barcodes) > 1 and sum(len(barcode.encode("utf-8", "replace")) for barcode in barcodes) > BARCODES_BYTES:
        half = len(barcodes) // 2
        return with_barcodes(url, barcodes[:half]) | with_barcodes(url, barcodes[half:])
    with databases.read(url) as connection:
        return {id: barcode for id, barcode in connection.execute(query, {"barcodes": barcodes})}


def _derive(found: Sequence[Found], checked: frozenset[int], without_audit: int) -> Derived:
    rows: list[Target] = []
    ids: dict[str, int] = {}
    rejected: list[Quarantined] = []
    for row in found:
        reason = _problem(row)
        if not reason:
            try:
                made = _target(row)
            except ValueError:
                reason = f"the latest audit ({row.audit_id}) of labware {row.labware_barcode!r} has no valid date"
            else:
                rows.append(made)
                ids[str(made.labware_barcode)] = row.labware_id
        if reason:
            key = row.labware_barcode or f"labware {row.labware_id}"
            rejected.append(Quarantined(key, reason, str(row.labware_id)))
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
