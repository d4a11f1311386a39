"""The channels by which notices go out: those that the settings name."""

from collections.abc import Sequence
from typing import Protocol

from janitor.errors import JanitorError
from janitor.notices.content import Content
from janitor.settings.settings import Settings


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


def of(settings: Settings) -> Sequence[Channel]:
    """The channels that are set.

    Raises:
        BadSetting: one is set in part.
    """
    settings.check_channels()
    found: list[Channel] = []
    if settings.mail_host is not None:
        from janitor.notices.mail import Mail

        found.append(Mail(settings))
    hooks = (settings.slack_url, settings.teams_url, settings.pagerduty_key, settings.webhook_url)
    if any(value is not None for value in hooks):
        from janitor.notices.webhooks import webhooks

        found += webhooks(settings)
    return found
