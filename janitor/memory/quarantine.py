"""The quarantine: rows that cannot be delivered, each with its reason, kept until they can be."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from janitor.memory.access import now, reading, writing
from janitor.runs import current_run
from janitor.state import quarantine
from janitor.state.quarantine import Quarantined


class Quarantine:
    """The quarantine of one task, as one run sees it."""

    def __init__(self, name: str) -> None:
        """Nothing is read before the first use."""
        self.name = name
        self._is_empty: bool | None = None

    def __len__(self) -> int:
        """How many keys wait in it."""
        with reading() as connection:
            return quarantine.size(connection, self.name)

    def settle(self, items: Iterable[str], bad: Sequence[Quarantined]) -> Sequence[Quarantined]:
        """Keep the rows in `bad`, and let all other rows under `items` go: they were delivered, or are not wanted.

        `items` are the items that were just looked at. It is committed when this returns; doing it twice is harmless.

        Returns:
            One row for each key that is new here, or is here for another reason than before; no row in a dry run.

        Raises:
            Fenced, Unavailable, Rejected: as `save_cursor` does.
        """
        mask = current_run().mask
        bad = [quarantine.fitted(replace(row, reason=mask(row.reason))) for row in bad]
        wanted = {(row.key, row.item) for row in bad}
        gone = self._held(list(items)) - wanted
        if not wanted and not gone:
            return []
        with writing(self.name) as connection:
            if connection is None:
                return []
            quarantine.release(connection, self.name, gone)
            news = quarantine.put(connection, self.name, bad, now(), current_run().id)
        self._is_empty = self._is_empty and not wanted
        return news

    def _held(self, items: Sequence[str]) -> set[tuple[str, str]]:
        if self._is_empty:
            return set()
        with reading() as connection:
            self._is_empty = quarantine.is_empty(connection, self.name)
            return set() if self._is_empty else quarantine.of_items(connection, self.name, items)


def quarantined(name: str, page_rows: int = 500) -> Iterator[Sequence[tuple[str, str]]]:
    """Yield every (key, item) in the quarantine `name`, in pages of `page_rows`.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    after = ("", "")
    while True:
        with reading() as connection:
            page = quarantine.page(connection, name, after, page_rows)
        if not page:
            return
        yield page
        after = page[-1]


def checked_longest_ago(name: str, limit: int) -> Sequence[tuple[str, str]]:
    """The (key, item) in the quarantine `name` that nobody has looked at for the longest time, `limit` at most.

    Raises:
        Unavailable, Rejected, DeadlineExceeded, Cancelled: as `quarantined` does.
    """
    with reading() as connection:
        return quarantine.checked_longest_ago(connection, name, limit)


def looked_at(name: str, identities: Iterable[tuple[str, str]]) -> None:
    """Note that these (key, item) in the quarantine `name` were looked at now, and stay there for the same reason.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does.
    """
    if rows := sorted(identities):
        with writing(name) as connection:
            if connection is not None:
                quarantine.touch(connection, name, rows, now())
