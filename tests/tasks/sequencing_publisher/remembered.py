"""What the state database remembers of sequencing_publisher: its cursor, its ledger, its quarantine."""

from janitor.feeds import Position
from janitor.state import cursors, ledger, quarantine
from tests.recorded_runs import Daemon


def position(daemon: Daemon) -> Position:
    """The saved cursor."""
    with daemon.state.begin() as connection:
        return Position.load(cursors.load(connection, "sequencing_publisher") or "")


def ledger_size(daemon: Daemon) -> int:
    """How many changes the ledger holds."""
    with daemon.state.begin() as connection:
        return ledger.size(connection, "sequencing_publisher")


def reasons(daemon: Daemon) -> dict[str, str]:
    """By sample: why it is in quarantine."""
    with daemon.state.begin() as connection:
        return {row.key: row.reason for row in quarantine.listing(connection, "sequencing_publisher")}
