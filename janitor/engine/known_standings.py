"""How jobs stand among their dependencies, known without reading all of it anew at every look."""

import time
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection

from janitor.jobs.standings import Standing
from janitor.state import builds, recent

WINDOW = 200
"""How many ids below the newest are looked at again: of two runs that begin at once, the later id may commit first."""
WHOLE_SECONDS = 600.0
"""How often all is read anew: what was deleted shows in no run that is new."""


class KnownStandings:
    """Reads anew only those jobs that have had a run since the last look, and all of them now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known before the first read; `clock` tells when all is to be read anew."""
        self._clock = clock
        self._standings: dict[str, Standing] = {}
        self._seen, self._live, self._whole_at = 0, list[int](), 0.0
        self._outcomes: dict[int, str | None] = {}

    def read(self, connection: Connection, names: Collection[str]) -> Mapping[str, Standing]:
        """How these jobs stand now.

        Raises:
            Unavailable, Rejected: the state database cannot be read; the next read tries the same again.
        """
        now = self._clock()
        whole = now - self._whole_at > WHOLE_SECONDS or not self._standings
        if whole:
            # Before all else: a run that begins or ends meanwhile comes up again at the next look.
            self._seen = recent.newest_id(connection)
            self._live = [row.id for row in recent.live(connection)]
        rows = recent.changed(connection, max(0, self._seen - WINDOW), self._live)
        touched = {row.job for row in rows if self._outcomes.get(row.id, "unknown") != row.outcome}
        wanted = [name for name in names if whole or name in touched or name not in self._standings]
        found = builds.standings(connection, wanted) if wanted else {}
        self._standings = {**({} if whole else self._standings), **found}
        self._outcomes = {row.id: row.outcome for row in rows}
        self._live = [row.id for row in rows if row.outcome is None]
        self._seen = max((row.id for row in rows), default=self._seen)
        # Last: after a failed read of all, all is still to be read.
        self._whole_at = now if whole else self._whole_at
        return self._standings
