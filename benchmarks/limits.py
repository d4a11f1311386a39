"""The limit: how long the servers' own work takes, without Python."""

import shutil
import subprocess
from pathlib import Path
from string import Template

from benchmarks import rival_engineer
from benchmarks.house import House
from benchmarks.measures import seconds_of

COLUMNS = ", ".join(rival_engineer.COLUMNS)
STAMPS = "lims_id = 'LabWhere', created_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)"


def query(house: House) -> str:
    """Return the statement that reads all rows of the target from LabWhere."""
    text = Path(__file__).with_name("limit_labwares.sql").read_text(encoding="utf-8")
    return Template(text).substitute(house.names())


def read(house: House, into: Path = Path("/dev/null")) -> float:
    """Read them with the server's client, with tabs between the columns; return the seconds."""
    client = shutil.which("mariadb") or shutil.which("mysql") or "mariadb"
    url = house.warehouses.labwhere_url
    command = [
        client,
        "--no-defaults",
        f"--host={url.host}",
        f"--port={url.port}",
        f"--user={url.username}",
        "--quick",
        "--batch",
        "--skip-column-names",
        f"--execute={query(house)}",
    ]

    def fetch() -> None:
        with into.open("wb") as file:
            subprocess.run(command, stdout=file, check=True)

    return seconds_of(fetch)


def load_data(house: House, rows: Path) -> float:
    """LOAD DATA of the file that `read` wrote, into an empty copy of the target; return the seconds."""
    statement = f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE {rival_engineer.TABLE}"
    values = ", ".join(f"@{name}" for name in rival_engineer.COLUMNS)
    sets = ", ".join(f"{name} = NULLIF(@{name}, 'NULL')" for name in rival_engineer.COLUMNS)
    return _into_empty_copy(house, f"{statement} ({values}) SET {sets}, {STAMPS}")


def insert_select(house: House) -> float:
    """INSERT ... SELECT of the same rows into an empty copy of the target, on one server; return the seconds."""
    select = f"SELECT found.*, 'LabWhere', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM ({query(house)}) AS found"
    into = f"INSERT INTO {rival_engineer.TABLE} ({COLUMNS}, lims_id, created_at, updated_at)"
    return _into_empty_copy(house, f"{into} {select}")


def compare(house: House) -> float:
    """Count the target's rows that differ from LabWhere's, in one statement; return the seconds.

    There must be no such row.
    """
    names = house.names()
    source = ("position", "row", "column", "login", "updated_at")
    own = {name: name for name in rival_engineer.COLUMNS}
    own |= dict(zip(rival_engineer.COLUMNS[4:], source, strict=True))
    same = " AND ".join(f"found.`{own[name]}` <=> target.{name}" for name in rival_engineer.COLUMNS[1:])
    join = f"LEFT JOIN {names['mlwh']}.labware_location AS target ON target.labware_barcode = found.barcode"
    found = 0

    def count() -> None:
        nonlocal found
        with rival_engineer.connect(house.warehouses.mlwh_url) as connection:
            cursor = connection.cursor()
            cursor.execute(f"SELECT COUNT(*) FROM ({query(house)}) AS found {join} WHERE NOT ({same})")
            found = cursor.fetchone()[0]  # type: ignore[index]

    taken = seconds_of(count)
    if found:
        raise AssertionError(f"{found} rows of the target differ from LabWhere's")
    return taken


def _into_empty_copy(house: House, statement: str) -> float:
    mlwh = house.warehouses.mlwh_url
    rival_engineer.make_table(mlwh)
    try:
        with rival_engineer.connect(mlwh) as connection:
            cursor = connection.cursor()
            taken = seconds_of(lambda: cursor.execute(statement))
            cursor.execute(f"SELECT COUNT(*) FROM {rival_engineer.TABLE}")
            loaded = cursor.fetchone()[0]  # type: ignore[index]
    finally:
        rival_engineer.drop_table(mlwh)
    if loaded != house.labwares:
        raise AssertionError(f"{loaded} rows were loaded, not {house.labwares}")
    return taken
