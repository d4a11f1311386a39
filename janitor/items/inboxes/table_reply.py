"""The final status of a row: a way of replying that writes into the table from which an item came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from janitor.errors import Rejected, RowRefused, Skip, Unavailable
from janitor.items.ends import Answer
from janitor.items.inboxes.table_left import status_name
from janitor.items.inboxes.table_rows import Layout, Rows
from janitor.needs import Need
from janitor.settings.settings import Settings


@dataclass(frozen=True)
class StatusReply:
    """Writes `success` or `failure` into the rows of an inbox, once their items have ended; `inbox.reply` is it.

    A row that somebody has given another status meanwhile keeps that. Items of other inboxes are none of its business.
    """

    inbox: str
    layout: Layout
    beat_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The inbox's name, and what it writes."""
        return status_name(self.inbox)

    @property
    def requires(self) -> Sequence[Need]:
        """What the inbox needs is enough."""
        return ()

    def open(self, settings: Settings) -> "StatusSender":
        """Make ready to write; nothing is connected before the first status.

        Raises:
            BadSetting: the URL of the database is missing or malformed.
        """
        return StatusSender(self.inbox, self.layout, Rows(settings.needed(self.layout.setting), self.layout))


class StatusSender:
    """Writes final statuses."""

    def __init__(self, inbox: str, layout: Layout, rows: Rows) -> None:
        """`inbox` is the name of the inbox that claims the rows."""
        self._inbox, self._layout, self._rows = inbox, layout, rows

    def send(self, answer: Answer) -> None:
        """Write the status of the row that an item came from; doing it twice is harmless.

        Raises:
            Skip: the item came from elsewhere.
            Unavailable: the database is away, or takes no writes now.
            Rejected: it does not take this status for this row.
        """
        row = answer.envelope.get("row")
        if answer.envelope.get("inbox") != self._inbox or row is None:
            raise Skip(f"its item did not come from {self._inbox}")
        try:
            self._rows.end([row], self._layout.failure if answer.kind == "error" else self._layout.success)
        except RowRefused:
            raise
        except Rejected as exc:
            raise Unavailable(str(exc)) from exc

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Tell nothing: a row has no status for that."""

    def close(self) -> None:
        """Do nothing: the connection goes back to its pool by itself."""
