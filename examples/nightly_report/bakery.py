"""The world around the example: a bakery's database, with a row for each sale."""

import sqlite3
from contextlib import closing
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

from sqlalchemy import make_url

from janitor.errors import Skip
from janitor.runs import current_run

TABLE = """
    CREATE TABLE IF NOT EXISTS sales (
        id INTEGER PRIMARY KEY,
        product TEXT NOT NULL,
        pieces INTEGER NOT NULL,
        price_pence INTEGER NOT NULL,
        sold_at DATETIME NOT NULL
    )
"""
ADD = "INSERT OR IGNORE INTO sales VALUES (?, ?, ?, ?, ?)"
PRICES = {"Bread & butter": 250, "Rye loaf": 420, "Cinnamon bun": 190, "Plum cake": 310}
SALES_A_DAY = 40


def sell(database: str, days: int = 7) -> dict[str, int]:
    """Make the sales of the last days and of today; a day that has its sales keeps them."""
    if current_run().dry_run:
        raise Skip("a dry run sells nothing")
    path = Path(str(make_url(database).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    today = current_run().started_at.astimezone(timezone.utc).date()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(TABLE)
        for back in range(days + 1):
            db.executemany(ADD, _sales(today - timedelta(days=back)))
    return {"days": days + 1, "sales": (days + 1) * SALES_A_DAY}


def _sales(day: date) -> list[tuple[int, str, int, int, str]]:
    opens_at, sales = datetime.combine(day, time(7)), []
    for number in range(SALES_A_DAY):
        product, price = list(PRICES.items())[(number * 7 + day.toordinal()) % len(PRICES)]
        sold_at = opens_at + timedelta(minutes=15 * number)
        pieces = 1 + (number + day.toordinal()) % 3
        sales.append((day.toordinal() * 1_000 + number, product, pieces, price, sold_at.isoformat(" ", "microseconds")))
    return sales
