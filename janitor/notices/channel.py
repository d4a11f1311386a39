"""What every channel is: a way to tell people. And the error of a notice that was not taken."""

from typing import Protocol

from janitor.errors import JanitorError
from janitor.notices.content import Content


class Undelivered(JanitorError):
    """Raised when a channel does not take a notice. It is worth another try, unless the error is `final`."""

    def __init__(self, reason: str, final: bool = False) -> None:
        self.final = final
        super().__init__(reason)


class Channel(Protocol):
    """A way to tell people."""

    @property
    def name(self) -> str:
        """The channel's name in the state database."""

    @property
    def where(self) -> str:
        """Where it leads, for people to read."""

    @property
    def together(self) -> bool:
        """Whether several due notices go out as one digest."""

    def send(self, content: Content) -> str:
        """Deliver one notice. Return a remark on the delivery, or an empty text.

        Raises:
            Undelivered: the notice was not taken.
        """
