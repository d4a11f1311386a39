"""A way to people, and the error of a notice that was not delivered."""

from typing import Protocol

from janitor.errors import JanitorError
from janitor.notices.content import Content


class Undelivered(JanitorError):
    """Raised when a channel did not take a notice: try again later, unless it is `final`, and never will."""

    def __init__(self, reason: str, final: bool = False) -> None:
        self.final = final
        super().__init__(reason)


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """What the state database calls it."""

    @property
    def where(self) -> str:
        """Where it leads, for people."""

    @property
    def together(self) -> bool:
        """Whether notices that become due together are told as one, a digest."""

    def send(self, content: Content) -> str:
        """Deliver one notice; what is to be remarked on how that went, empty where nothing is.

        Raises:
            Undelivered: it was not taken.
        """
