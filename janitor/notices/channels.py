"""The channels that the settings name."""

from collections.abc import Sequence

from janitor.notices.channel import Channel
from janitor.settings.settings import Settings


def channels_of(settings: Settings) -> Sequence[Channel]:
    """Return the channels that are set; email first.

    Raises:
        BadSetting: a channel is set only in part.
    """
    settings.check_mail()
    found: list[Channel] = []
    if settings.mail_host is not None:
        from janitor.notices.mail import Mail

        found.append(Mail(settings))
    hooks = (settings.slack_url, settings.teams_url, settings.pagerduty_key, settings.webhook_url)
    if any(value is not None for value in hooks):
        from janitor.notices.webhooks import webhooks_of

        found += webhooks_of(settings)
    return found
