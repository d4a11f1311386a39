"""The world around the example: a depot's database, with a row for each scan of a parcel."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import make_url

from janitor.errors import Skip
from janitor.runs import current_run

TABLE = """
    CREATE TABLE IF NOT EXISTS scans (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        parcel TEXT NOT NULL,
        place TEXT,
        scanned_at DATETIME NOT NULL
    )
"""
ADD = "INSERT INTO scans (parcel, place, scanned_at) VALUES (?, ?, ?)"
PLACES = ("Dock", "Belt 1", "Belt 2", "Van 7")


def scan(database: str, parcels: int = 50) -> dict[str, int]:
    """Scan some parcels at each place; the scanner on the dock forgets the place of the first parcel."""
    if current_run().dry_run:
        raise Skip("a dry run scans nothing")
    path = Path(str(make_url(database).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    began_at = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=parcels * len(PLACES))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(TABLE)
        before = db.execute("SELECT count(*) FROM scans").fetchone()[0]
        for number in range(parcels * len(PLACES)):
            label = f"P-{before}-{number % parcels:04}"
            place = PLACES[number // parcels] if number else None
            scanned_at = began_at + timedelta(seconds=number)
            db.execute(ADD, (label, place, scanned_at.isoformat(" ", "microseconds")))
    return {"scans": parcels * len(PLACES)}
