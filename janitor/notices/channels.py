"""The channels by which notices go out: those that the settings name."""

from collections.abc import Sequence

from janitor.notices.channel import Channel
from janitor.settings.settings import Settings


def of(settings: Settings) -> Sequence[Channel]:
    """The channels that are set.

    Raises:
        BadSetting: one is set in part.
    """
    settings.check_mail()
    found: list[Channel] = []
    if settings.mail_host is not None:
        from janitor.notices.mail import Mail

        found.append(Mail(settings))
    hooks = (settings.slack_url, settings.teams_url, settings.pagerduty_key, settings.webhook_url)
    if any(value is not None for value in hooks):
        from janitor.notices.webhooks import webhooks

        found += webhooks(settings)
    return found
