"""The steps from an empty state database to the newest schema: `upgrade.py` takes them, `versions/` has them."""

from collections.abc import Callable

from sqlalchemy import Connection

Keep = Callable[[Connection], None]
"""What is called at the end of each transaction of a migration, within it; it raises to end the migration."""
