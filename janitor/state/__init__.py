"""The state database: one file for each thing that Janitor remembers."""

from janitor.state import item_tables
from janitor.state.database import State

__all__ = ["State", "item_tables"]
