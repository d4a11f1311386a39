"""What stands where in the made-up lab: the rows of LabWhere, in the order of their ids."""

from collections.abc import Iterator

from janitor.demo.lab_rows import (
    AUDIT,
    LABWARE,
    LOCATION,
    Lab,
    Maker,
    Row,
    audits_of,
    is_deleted,
    is_scanned_by_nobody,
    labware_barcode,
    uuid_text,
)

BOX_ROWS, BOX_COLUMNS = 8, 12
USERS, NOBODY = 40, 41
UNKNOWN_LOCATION = 1


def users(lab: Lab) -> Iterator[Row]:
    """Make forty users with a login, and one without a login."""
    for n in range(1, USERS + 1):
        yield n, f"{'abcdefghjk'[n % 10]}{'mnpqrstvwz'[n // 10]}{n % 7 + 1}", "Technician", lab.at(0), lab.at(0)
    yield NOBODY, None, "Technician", lab.at(0), lab.at(0)


def locations(lab: Lab) -> Iterator[Row]:
    """Make the unknown location, then buildings, rooms, freezers and shelves, then boxes. One shelf has no barcode."""
    made = _at(lab, 1, "UnknownLocation", "UNKNOWN", ())
    yield made
    tree, above = [made], [()]  # type: list[Row], list[tuple[tuple[int, str], ...]]
    for count, name in ((2, "Building"), (3, "Room"), (5, "Freezer"), (5, "Shelf")):
        below = []
        for parents in above:
            for n in range(1, count + 1):
                own = len(tree) + 1
                label = f"{name} {n}"
                tree.append(_at(lab, own, "UnorderedLocation", label, parents, barcode=own != LAST_SHELF))
                below.append((*parents, (own, label)))
        above = below
    yield from tree[1:]
    for box in range(boxes(lab)):
        own = len(tree) + 1 + box
        yield _at(lab, own, "OrderedLocation", f"Box {box + 1:05d}", above[box % len(above)])


FIRST_SHELF = 1 + 2 + 6 + 30 + 1
LAST_SHELF = FIRST_SHELF + 149


def boxes(lab: Lab) -> int:
    """Return how many boxes there are: enough for two labwares in five, with a sixth of each box free."""
    return lab.labwares * 2 // 5 // 80 + 1


def _at(lab: Lab, own: int, kind: str, name: str, parents: tuple[tuple[int, str], ...], barcode: bool = True) -> Row:
    ordered = kind == "OrderedLocation"
    return (
        own,
        name,
        f"lw-{name.lower().replace(' ', '-')}-{own}" if barcode else None,
        " / ".join(parent for _, parent in parents),
        kind,
        BOX_ROWS if ordered else 0,
        BOX_COLUMNS if ordered else 0,
        "/".join(str(parent) for parent, _ in parents) or None,
        uuid_text(lab.seed, LOCATION, own),
        lab.at(0),
        lab.at(0),
    )


def coordinates(lab: Lab) -> Iterator[Row]:
    """Make every place in every box, by position, row and column."""
    first_box, own = LAST_SHELF + 1, 0
    for box in range(boxes(lab)):
        for place in range(BOX_ROWS * BOX_COLUMNS):
            own += 1
            row, column = divmod(place, BOX_COLUMNS)
            yield own, place + 1, row + 1, column + 1, first_box + box, lab.at(0), lab.at(0)


def labwares(lab: Lab) -> Iterator[Row]:
    """Make the labwares: two in five stand in a box, one in twenty in the unknown location, the others on a shelf."""
    chance = lab.random("labwares")
    boxed = 0
    for n in range(1, lab.labwares + 1):
        location: int | None = chance.randint(FIRST_SHELF, LAST_SHELF)
        coordinate = None
        deleted = lab.at(0.99) if is_deleted(n) else None
        if deleted:
            location = None
        elif n % 20 == 3:
            location = UNKNOWN_LOCATION
        elif n % 5 < 2:
            coordinate, location = boxed // 80 * 96 + boxed % 80 + 1, None
            boxed += 1
        made = lab.at(0.2 * n / lab.labwares)
        yield n, labware_barcode(n), deleted, location, coordinate, uuid_text(lab.seed, LABWARE, n), made, made


def audits(lab: Lab) -> Iterator[Row]:
    """Make the audits: in each round those of the labwares that were scanned so often; last, a renamed location's."""
    chance = lab.random("audits")
    own = 0
    for turn in range(5):
        action = "scanned" if turn else "create"
        for n in range(1, lab.labwares + 1):
            if audits_of(n) <= turn:
                continue
            own += 1
            user = chance.randint(1, USERS)
            if audits_of(n) == turn + 1 and is_scanned_by_nobody(n):
                user = NOBODY
            when = lab.at((turn + n / lab.labwares) / 5.01)
            data = f'{{"barcode":"{labware_barcode(n)}"}}'
            yield own, "Labware", n, action, data, user, uuid_text(lab.seed, AUDIT, own), when, when
    when = lab.at(0.999)
    yield own + 1, "Location", FIRST_SHELF, "update", "{}", 1, uuid_text(lab.seed, AUDIT, own + 1), when, when


LABWHERE: dict[str, tuple[str, Maker]] = {
    "users": ("id login type created_at updated_at", users),
    "locations": ("id name barcode parentage type rows columns ancestry uuid created_at updated_at", locations),
    "coordinates": ("id position row column location_id created_at updated_at", coordinates),
    "labwares": ("id barcode deleted_at location_id coordinate_id uuid created_at updated_at", labwares),
    "audits": ("id auditable_type auditable_id action record_data user_id uuid created_at updated_at", audits),
}
