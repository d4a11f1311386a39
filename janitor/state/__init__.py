"""The state database: where runs, logs, progress, cursors, ledger, quarantine and pauses live."""

from janitor.state.database import State

__all__ = ["State"]
