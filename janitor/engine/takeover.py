"""Taking over: the clock goes once this daemon leads, and stands by once it does not lead any more."""

from collections.abc import Callable

from janitor.engine.leadership import Leadership
from janitor.errors import Fenced
from janitor.state import State


class Takeover:
    """Makes the clock go when this daemon comes to lead, and stand by when it does not lead any more.

    `at_work` tells whether the clock goes: it is False until `on_leading` has returned.
    """

    def __init__(
        self,
        state: State,
        leadership: Leadership,
        on_leading: Callable[[], None] = lambda: None,
        on_standby: Callable[[], None] = lambda: None,
    ) -> None:
        """Both calls come in the keeper's thread; if `on_leading` raises Unavailable, it is called again later."""
        self._state, self._leadership = state, leadership
        self._on_leading, self._on_standby = on_leading, on_standby
        self._migrated = False
        self.at_work = False

    def step(self) -> None:
        """Come to lead, if no other daemon leads.

        Raises:
            Unavailable, Rejected: the state database is away.
        """
        if not self._migrated:
            self._state.migrate()
            self._migrated = True
        if self._leadership.try_to_take():
            self._on_leading()
            self.at_work = True

    def lose(self, why: Fenced) -> None:
        """Stand by, since another daemon leads; every run is asked to stop."""
        self._leadership.lose(why)
        self.stand_by()

    def stand_by(self) -> None:
        """Let the clock begin no run."""
        self.at_work = False
        self._on_standby()
