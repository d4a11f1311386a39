"""The channels that take notices as JSON: Slack, Teams, PagerDuty, and any other webhook."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from janitor import http
from janitor.notices.channel import Undelivered
from janitor.notices.content import Content
from janitor.notices.pagerduty import pagerduty
from janitor.notices.slack import slack
from janitor.notices.teams import teams
from janitor.settings.settings import Settings

REFUSED_FOR_GOOD = (400, 413, 422)
"""Statuses that another try with the same content would not change."""

Render = Callable[[Content], dict[str, Any]]


@dataclass(frozen=True)
class Webhook:
    """An address that takes notices as JSON; it is asked for anew for each notice."""

    name: str
    address: Callable[[], SecretStr]
    render: Render
    together: bool = True
    client: http.Client = field(default_factory=http.Client, repr=False)

    @property
    def where(self) -> str:
        """The server's name: the rest of the address is a secret."""
        return f"to {urlsplit(self.address().get_secret_value()).hostname}"

    def send(self, content: Content) -> str:
        """Post one notice."""
        body = json.dumps(self.render(content), default=str).encode()
        try:
            self.client.post(self.address().get_secret_value(), body, {"Content-Type": "application/json"})
        except http.RequestFailed as exc:
            raise Undelivered(str(exc), exc.status in REFUSED_FOR_GOOD) from None
        return ""


def webhooks_of(settings: Settings) -> Sequence[Webhook]:
    """Return the webhooks that are set. An address or a key in a file is read again for each notice."""
    found = []
    if settings.slack_url is not None:
        found.append(Webhook("slack", partial(settings.fresh, "SLACK_URL"), slack))
    if settings.teams_url is not None:
        found.append(Webhook("teams", partial(settings.fresh, "TEAMS_URL"), teams))
    if settings.pagerduty_key is not None:
        url = SecretStr(settings.pagerduty_url)
        # Each notice is an incident of its own: a digest would close none.
        found.append(Webhook("pagerduty", lambda: url, partial(_to_pagerduty, settings), together=False))
    if settings.webhook_url is not None:
        found.append(Webhook("webhook", partial(settings.fresh, "WEBHOOK_URL"), plain))
    return found


def _to_pagerduty(settings: Settings, content: Content) -> dict[str, Any]:
    return pagerduty(content, settings.fresh("PAGERDUTY_KEY"))


def plain(content: Content) -> dict[str, Any]:
    """Give all that there is, as plain values; instants are ISO 8601. A digest holds its `notices` in the same form."""
    return {
        "key": content.key,
        "kind": content.kind,
        "rule": content.rule,
        "job": content.job,
        "pipeline": content.pipeline or None,
        "item": content.item or None,
        "subject": content.subject,
        "sentence": content.sentence,
        "host": content.host,
        "text": content.text,
        "over": content.over or None,
        "run": content.run_id,
        "began_at": content.began_at.isoformat(),
        "at": content.at.isoformat(),
        "next_run_at": content.next_run_at and content.next_run_at.isoformat(),
        "error": content.error or None,
        "counts": content.counts,
        "log": list(content.log),
        **({"notices": [plain(part) for part in content.parts]} if content.parts else {}),
        "links": dict(content.links),
    }
