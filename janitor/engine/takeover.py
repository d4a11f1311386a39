"""Taking over: the clock goes once this daemon leads, and stands by once it does not lead any more."""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from janitor.databases.places import place
from janitor.engine.leadership import Leadership
from janitor.errors import Fenced, Unavailable
from janitor.state import State, identity
from janitor.state.holders import process
from janitor.state.tables import SCHEMA_VERSION

log = logging.getLogger(__name__)

MADE = (
    "there was no state database at %s, so a new one is made, and every job begins anew; if there should be one, stop "
    "this daemon, and correct STATE_DATABASE_URL or mount its volume"
)


class Takeover:
    """Makes the clock go when this daemon comes to lead, and stand by when it does not lead any more.

    `at_work` tells whether the clock goes: it is False until `on_leading` has returned. `begun` tells whether the state
    database has ever let this daemon lead, or stand by.
    """

    def __init__(
        self,
        state: State,
        leadership: Leadership,
        on_leading: Callable[[], None] = lambda: None,
        on_standby: Callable[[], None] = lambda: None,
        may_lead: Callable[[], bool] = lambda: True,
    ) -> None:
        """Each call comes in the keeper's thread.

        If `on_leading` raises, the lease is given back, so that another daemon can try; it is called again later.
        `may_lead` is called before each try to lead, and tells whether it may be tried now.
        """
        self._state, self._leadership, self._may_lead = state, leadership, may_lead
        self._on_leading, self._on_standby = on_leading, on_standby
        self._seen = False
        self.at_work = self.begun = False

    def step(self) -> None:
        """Come to lead, if no other daemon leads, and this daemon may.

        Raises:
            Unavailable, Rejected: the state database is away, or has a schema with which this daemon cannot lead now.
        """
        self._bring_up_to_date(self._state.version())
        self._seen = True
        if self._may_lead() and self._leadership.try_to_take():
            with ExitStack() as undo:
                undo.callback(self._leadership.give_up)
                self._on_leading()
                self.at_work = True
                undo.pop_all()
        self.begun = True

    def _bring_up_to_date(self, found: str | None) -> None:
        """Make a state database if there is none, and bring an older schema to this release's version.

        No table changes while another daemon leads: it may be of the release before. It is looked at before each try to
        lead, since another daemon may have brought the schema to a newer release's version meanwhile.

        Raises:
            Rejected: the schema is a newer release's. That ends the start, unless the newer daemon leads.
            Unavailable: the schema is older, and another daemon leads.
        """
        self._seen = self._seen or found is not None
        if found is None:
            # If a state database that this daemon has seen is gone, only the next start makes another.
            if not self._seen and self._state.migrate():
                self._note_made()
        elif found > SCHEMA_VERSION:
            self.begun = self.begun or self._leadership.other() is not None
            self._state.require()
        elif found < SCHEMA_VERSION and self._leadership.migrate() is None:
            other = process(self._leadership.other() or "")
            raise Unavailable(
                f"the state database has schema {found}, this release needs schema {SCHEMA_VERSION}, and another "
                f"daemon leads or migrates ({other}): this one waits until that process has stopped, or has migrated"
            )

    def _note_made(self) -> None:
        log.warning(MADE, place(self._state.url))
        with self._state.begin() as connection:
            now = self._state.now(connection)
            identity.ensure(connection, now, made_at=now)

    def lose(self, why: Fenced) -> None:
        """Stand by, since another daemon leads; every run is asked to stop."""
        self._leadership.lose(why)
        self.stand_by()

    def give_up(self) -> None:
        """Stand by, so that another daemon can lead; runs go on.

        Raises:
            Unavailable, Rejected: the state database is away; the lease ends by itself.
        """
        self.stand_by()
        self._leadership.give_up()

    def stand_by(self) -> None:
        """Let the clock begin no run."""
        self.at_work = False
        self._on_standby()
