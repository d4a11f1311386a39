"""The world around the example: both databases, and a shop whose products change all the time."""

import random
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from sqlalchemy import URL, text

from janitor import databases

ADD = text("INSERT INTO products (name, price_pence) VALUES (:name, :price)")
REPRICE = text("UPDATE products SET price_pence = :price, version = version + 1 WHERE id = :id")
REMOVE = text("DELETE FROM products WHERE id = :id")
# The tea towel stays, so that its name can be made shorter.
MOVABLE = text("SELECT id FROM products WHERE id <> 4 ORDER BY id")

NAMES = ("Kettle", "Teapot", "Cup", "Saucer", "Tray", "Spoon", "Jug", "Tin")


def make(shop: URL, price_list: URL) -> None:
    """Make both SQLite files with their tables and the first products; what is there stays as it is."""
    for url, script in ((shop, "shop.sql"), (price_list, "price_list.sql")):
        path = Path(str(url.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as db:
            db.executescript(resources.files(__package__).joinpath(script).read_text(encoding="utf-8"))


def trade(shop: URL) -> dict[str, int]:
    """A busy moment in the shop: two products come, three get another price, and one goes."""
    with databases.begin(shop) as db:
        for _ in range(2):
            db.execute(ADD, {"name": random.choice(NAMES), "price": random.randrange(100, 9_900)})
        *changed, gone = random.sample(db.execute(MOVABLE).scalars().all(), 4)
        for product_id in changed:
            db.execute(REPRICE, {"id": product_id, "price": random.randrange(100, 9_900)})
        db.execute(REMOVE, {"id": gone})
    return {"came": 2, "changed": 3, "went": 1}
