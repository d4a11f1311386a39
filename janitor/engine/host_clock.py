"""The host's clock: a person is told if it differs from the state database's clock, by which all daemons count."""

from janitor.loops import Loops
from janitor.state.shared_clock import SharedClock

OFF_SECONDS = 5.0
"""By how much the clocks must differ to be told; once told, half of it is still too much."""
NAME = "the clock of this host"


class HostClock:
    """Compares the two clocks, and tells a difference once, and again if it has changed by more than `OFF_SECONDS`."""

    def __init__(self, clock: SharedClock, loops: Loops) -> None:
        """Nothing is compared before `look`."""
        self._clock, self._loops = clock, loops
        self._told: float | None = None

    def look(self) -> None:
        """Compare the clocks; the state database is not asked, for it was asked when the leases were renewed."""
        ahead, told = self._clock.host_ahead_seconds, self._told
        if abs(ahead) <= (OFF_SECONDS if told is None else OFF_SECONDS / 2):
            self._told = None
            self._loops.note_over(NAME)
        elif told is None or abs(ahead - told) > OFF_SECONDS:
            self._told = ahead
            self._loops.note(NAME, sentence(ahead, self._clock.was_set_seconds))


def sentence(ahead_seconds: float, was_set_seconds: float = 0.0) -> str:
    """What is told of a host's clock that is so far ahead; a negative number is behind.

    The state database's clock `was_set` so far forward while this process ran; a negative number is back.
    """
    side, way = "ahead of" if ahead_seconds > 0 else "behind", "forward" if was_set_seconds > 0 else "back"
    what = "set it right"
    if abs(was_set_seconds) > OFF_SECONDS:
        what = (
            f"but the state database's clock was set {way} by {abs(was_set_seconds):.0f} s while this process ran: "
            "look there first"
        )
    return (
        f"the clock of this host is {abs(ahead_seconds):.0f} s {side} the state database's clock: slots come by the "
        f"state database's clock, and files and logs of this host have other times; {what}"
    )
