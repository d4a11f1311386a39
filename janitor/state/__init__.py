"""The state database: one file for each thing that Janitor remembers."""

from janitor.state.database import State

__all__ = ["State"]
