"""Hostile rows through both tasks: each is stored or published as it is, or quarantined with a reason."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from janitor.state.tables import quarantine
from janitor.tasks import labware_location, sequencing_publisher
from tests.faults import hostile
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import Rows, expected, stored
from tests.tasks.sequencing_publisher.consumer import counted
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.warehouse import Warehouse

FIRST, LAST = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)
LARGEST_INT, LARGEST_UNSIGNED = 2**31 - 1, 2**32 - 1
USUAL = datetime(2026, 7, 1, 9)
WIDE_BOTH = pytest.param("utf8mb4", "utf8mb4", marks=pytest.mark.whole_form)


def widen(tables: Any, *names: str) -> None:
    """Let text columns hold all of Unicode, as in some sites' databases."""
    for name in names:
        tables.execute(f"ALTER TABLE `{name}` CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")


def in_quarantine(daemon: Daemon) -> Sequence[Row[Any]]:
    """Return the rows in quarantine; each must say why."""
    with daemon.state.begin() as connection:
        rows = connection.execute(select(quarantine)).all()
    assert all(len(row.reason) > 20 for row in rows)
    return rows


# labware_location


def fill_labwhere(lab: LabWhere, chance: random.Random, charset: str, labwares: int) -> None:
    """Make labwares, places and people: hostile texts, numbers and dates at their limits, and NULLs."""

    def text(before: str = "") -> str:
        return hostile.text(chance, charset, before=before)

    def number() -> int | None:
        return chance.choice((None, 0, 1, -1, LARGEST_INT, -LARGEST_INT - 1))

    users = [lab.user(hostile.maybe(chance, text("u"))) for _ in range(12)]
    places = [
        lab.location(
            hostile.maybe(chance, text()), hostile.maybe(chance, text(f"{n:03}")), hostile.maybe(chance, text())
        )
        for n in range(30)
    ]
    corners = [corner(lab, chance.choice(places), number(), number(), number()) for _ in range(20)]
    for n in range(labwares):
        place, at_corner = chance.choice([*places, None]), chance.choice([*corners, None, None])
        labware = lab.labware(hostile.maybe(chance, text(f"{n:04}"), 0.03), place, at_corner)
        at = chance.choice((USUAL, FIRST, LAST))
        lab.audit("Labware", labware, chance.choice([*users, *users, None]), at, record_data=text(), message=text())
    lab.audit(None, None, None)
    lab.audit("Labware", None, users[0])
    lab.audit("Location", None, users[0])
    lab.audit(text(), 1, users[0])


def corner(lab: LabWhere, location: int, position: int | None, row: int | None, column: int | None) -> int:
    """Make a coordinate whose numbers may be NULL."""
    values = {"position": position, "row": row, "column": column, "location_id": location}
    return lab.add("coordinates", **values, created_at=USUAL, updated_at=USUAL)


def holdable(rows: Rows, charset: str) -> tuple[Rows, set[str]]:
    """Return the rows whose texts a character set holds, and the barcodes of the other rows."""
    held = {
        barcode: row
        for barcode, row in rows.items()
        if charset == "utf8mb4" or all(not isinstance(v, str) or max(v, default="") <= "\uffff" for v in row.values())
    }
    return held, rows.keys() - held.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("source", "target"), [("latin1", "utf8mb3"), ("utf8mb4", "utf8mb3"), WIDE_BOTH])
def test_hostile_labware_is_stored_as_it_is(
    mariadb_warehouses: Warehouses, tmp_path: Path, source: str, target: str, whole: bool, faults_seed: int
) -> None:
    warehouses, chance = mariadb_warehouses, random.Random(faults_seed)
    lab, mlwh = LabWhere(warehouses.labwhere), LabWhere(warehouses.mlwh)
    if source == "utf8mb4":
        widen(lab, "labwares", "locations", "users", "audits")
    if target == "utf8mb4":
        widen(mlwh, "labware_location")
    with lab.transaction():
        fill_labwhere(lab, chance, source, 2_000 if whole else 300)
    daemon = Daemon(warehouses.environment(), tmp_path)
    now = expected(warehouses.labwhere)
    rows, refused = holdable(now.rows, target)
    assert len(rows) > 80 and len(now.quarantined) > 50 and bool(refused) is (source > target)
    counts = daemon.counts(labware_location.follow)
    compare(daemon, warehouses, rows, now.quarantined | refused)
    assert counts["inserted"] == len(rows)
    # The stored rows are recognized again: nothing is repaired.
    again = daemon.counts(labware_location.reconcile)
    assert (again["repaired"], again["orphaned"]) == (0, 0)
    with lab.transaction():
        lab.execute("UPDATE locations SET name = CONCAT(COALESCE(LEFT(name, 240), ''), ' moved')")
    now = expected(warehouses.labwhere)
    rows, refused = holdable(now.rows, target)
    daemon.counts(labware_location.reconcile)
    compare(daemon, warehouses, rows, now.quarantined | refused)
    daemon.close()


def compare(daemon: Daemon, warehouses: Warehouses, rows: Rows, quarantined: set[str]) -> None:
    """Check the table and the quarantine, row by row."""
    held = stored(warehouses.mlwh)
    for barcode, row in rows.items():
        assert held.pop(barcode) == row
    assert held == {}
    assert {row.key for row in in_quarantine(daemon)} == quarantined


def test_labwares_that_are_the_same_key_to_the_table_are_told(mariadb_warehouses: Warehouses, tmp_path: Path) -> None:
    warehouses = mariadb_warehouses
    lab, user = LabWhere(warehouses.labwhere), 0
    user, place = lab.user(), lab.location()
    # LabWhere tells DN-A and DN-Å apart, and the table does not. A space at the end makes no difference.
    for barcode, day in (("DN-A", 1), ("DN-\u00c5", 2), ("DN-s", 3), ("DN-B ", 4)):
        lab.audit("Labware", lab.labware(barcode, place), user, datetime(2026, 7, day))
    daemon = Daemon(warehouses.environment(), tmp_path)
    for task in (labware_location.follow, labware_location.reconcile):
        daemon.counts(task)
        assert set(stored(warehouses.mlwh)) == {"DN-\u00c5", "DN-s", "DN-B "}
        (waiting,) = in_quarantine(daemon)
        assert waiting.key == "DN-A" and "is the same key as 'DN-\u00c5' to the table" in waiting.reason
    daemon.close()


def test_a_barcode_that_begins_with_a_control_is_one(mariadb_warehouses: Warehouses, tmp_path: Path) -> None:
    warehouses = mariadb_warehouses
    lab = LabWhere(warehouses.labwhere)
    lab.scan(lab.labware("DN1"), lab.user(), None, lab.coordinate(lab.location("Box", "\tlw-7")))
    daemon = Daemon(warehouses.environment(), tmp_path)
    daemon.counts(labware_location.follow)
    compare(daemon, warehouses, expected(warehouses.labwhere).rows, set())
    daemon.close()


def test_a_labware_with_a_zero_date_stops_no_other(mariadb_warehouses: Warehouses, tmp_path: Path) -> None:
    warehouses = mariadb_warehouses
    lab = LabWhere(warehouses.labwhere)
    user, place = lab.user(), lab.location()
    good, bad = lab.labware("GOOD", place), lab.labware("ZERO", place)
    lab.audit("Labware", bad, user)
    lab.audit("Labware", good, user)
    with lab.transaction():
        lab.execute("SET SESSION sql_mode = ''")
        lab.execute(f"UPDATE audits SET updated_at = '0000-00-00 00:00:00' WHERE auditable_id = {bad}")
    daemon = Daemon(warehouses.environment(), tmp_path)
    daemon.counts(labware_location.follow)
    assert set(stored(warehouses.mlwh)) == {"GOOD"}
    assert [row.key for row in in_quarantine(daemon)] == ["ZERO"]
    daemon.close()


# sequencing_publisher


def fill_mlwh(made: Warehouse, chance: random.Random, charset: str, statuses: int) -> None:
    """Make runs, samples, studies and places with hostile texts, and numbers and dates at their limits."""

    def text(before: str = "", longest: int = 255) -> str:
        return hostile.text(chance, charset, longest, before)

    labwares = [text(f"{n:02}") for n in range(6)]
    samples = [
        made.sample(hostile.maybe(chance, text()), tuple(chance.sample(labwares, chance.choice((0, 1, 2)))))
        for _ in range(14)
    ]
    samples.append(made.sample("no uuid", (), uuid_text=text("no uuid ", 36)))
    studies = [made.study(hostile.maybe(chance, text())) for _ in range(6)]
    runs = [0, 1, 47_000, LARGEST_INT, LARGEST_UNSIGNED]
    for n in range(60):
        study = chance.choice([*studies, None])
        product = made.product(chance.choice(runs), chance.choice(samples), study, linked=chance.random() > 0.1)
        for root in range(chance.choice((0, 1, 1, 2))):
            path, second = hostile.maybe(chance, text()), hostile.maybe(chance, text(), 0.5)
            made.irods(product, text(f"/{root}/"), path, second)
    made.mlwh.change("iseq_product_metrics", {"id_iseq_flowcell_tmp": 1}, id_run=None)
    made.product(47_000, samples[-1], studies[0])
    made.status(47_000, id=1_000)
    for n in range(statuses):
        status, at = chance.choice((0, 20, LARGEST_INT, LARGEST_UNSIGNED)), chance.choice((USUAL, FIRST, LAST))
        made.status(chance.choice(runs), status, at, id=chance.choice((n + 1, LARGEST_UNSIGNED - n)))


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf8mb3", "json"),
        ("utf8mb4", "binary"),
        pytest.param("utf8mb3", "binary", marks=pytest.mark.whole_form),
        pytest.param("utf8mb4", "json", marks=pytest.mark.whole_form),
    ],
)
def test_hostile_changes_are_published_as_they_are(
    mariadb_warehouses: Warehouses,
    exchange: Exchange,
    tmp_path: Path,
    charset: str,
    encoding: str,
    whole: bool,
    faults_seed: int,
) -> None:
    warehouses, chance = mariadb_warehouses, random.Random(faults_seed)
    made = Warehouse(warehouses, USUAL)
    if charset == "utf8mb4":
        widen(made.mlwh, "sample", "study", "seq_product_irods_locations")
        widen(made.events, "subjects")
    with made.mlwh.transaction(), made.events.transaction():
        fill_mlwh(made, chance, charset, 60 if whole else 15)
    settings = {"SEQUENCING_PUBLISHER_EXCHANGE": exchange.name, "SEQUENCING_PUBLISHER_ENCODING": encoding}
    settings |= exchange.broker.environment() | {"SEQUENCING_PUBLISHER_SINCE": "1000-01-01"}
    daemon = Daemon(warehouses.environment() | settings, tmp_path)
    found = derived(warehouses)
    messages = {key: record for key, record in found.messages.items() if max(record[1], record[5]) <= LARGEST_INT}
    misfits = found.misfits | {(key[1], key[0]) for key in found.messages.keys() - messages.keys()}
    assert len(messages) > 50 and len(misfits) > 5
    counts = daemon.counts(sequencing_publisher.follow)
    assert counted(exchange.received()) == Counter(messages.values())
    assert counts["published"] == len(messages)
    waiting = {(row.key, int(row.item)) for row in in_quarantine(daemon)}
    assert {pair for pair in waiting if not pair[0].startswith("no uuid")} == misfits
    assert any(pair[0].startswith("no uuid") for pair in waiting)
    assert daemon.counts(sequencing_publisher.reconcile)["published"] == 0
    daemon.close()


def test_a_status_with_a_zero_date_stops_no_other(
    mariadb_warehouses: Warehouses, exchange: Exchange, tmp_path: Path
) -> None:
    warehouses = mariadb_warehouses
    made = Warehouse(warehouses, USUAL)
    made.product(1, made.sample(), made.study())
    bad, good = made.status(1, 5), made.status(1, 6)
    with made.mlwh.transaction():
        made.mlwh.execute("SET SESSION sql_mode = ''")
        made.mlwh.execute(f"UPDATE iseq_run_status SET date = '0000-00-00 00:00:00' WHERE id_run_status = {bad}")
    settings = exchange.broker.environment() | {"SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    daemon = Daemon(warehouses.environment() | settings | {"SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}, tmp_path)
    daemon.counts(sequencing_publisher.follow)
    assert [record[5] for record in counted(exchange.received())] == [6] and good > bad
    assert [int(row.item) for row in in_quarantine(daemon)] == [bad]
    daemon.close()
