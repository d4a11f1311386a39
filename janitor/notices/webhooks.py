"""Notices as JSON to webhooks: Slack's, Teams', PagerDuty's and anybody's."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from janitor import http
from janitor.notices.channel import Undelivered
from janitor.notices.content import TEST, Content
from janitor.settings.settings import Settings
from janitor.state.notices import ENDED

REFUSED_FOR_GOOD = (400, 413, 422)
"""Answers that another try with the same content would not change."""
SECTION = 2_900
"""How long a text in a Slack section may be, a little less than its 3,000 characters."""
PART, DIGEST_LOGS = 400, 8_000
"""How long a sentence in a digest may be, and all logs in one for Slack: Teams takes no message over 28 KB."""
SUMMARY = 1_024
"""How long PagerDuty's summary may be."""

Render = Callable[[Content], dict[str, Any]]


@dataclass(frozen=True)
class Webhook:
    """An address that takes notices as JSON."""

    name: str
    url: SecretStr
    render: Render
    together: bool = True
    connections: http.Connections = field(default_factory=http.Connections, repr=False)

    @property
    def where(self) -> str:
        """The server's name: the rest of the address is a secret."""
        return f"to {urlsplit(self.url.get_secret_value()).hostname}"

    def send(self, content: Content) -> str:
        """Post one notice."""
        body = json.dumps(self.render(content), default=str).encode()
        try:
            http.post(self.connections, self.url.get_secret_value(), body, {"Content-Type": "application/json"})
        except http.Failed as exc:
            raise Undelivered(str(exc), exc.status in REFUSED_FOR_GOOD) from None
        return ""


def webhooks(settings: Settings) -> Sequence[Webhook]:
    """Those that are set."""
    found = []
    if settings.slack_url is not None:
        found.append(Webhook("slack", settings.slack_url, slack))
    if settings.teams_url is not None:
        found.append(Webhook("teams", settings.teams_url, teams))
    if settings.pagerduty_key is not None:
        key = settings.pagerduty_key
        url = SecretStr(settings.pagerduty_url)
        # An incident is keyed by its notice: there are no digests of them.
        found.append(Webhook("pagerduty", url, lambda content: pagerduty(content, key), together=False))
    if settings.webhook_url is not None:
        found.append(Webhook("webhook", settings.webhook_url, plain))
    return found


def plain(content: Content) -> dict[str, Any]:
    """All there is, as plain values; instants are ISO 8601. A digest has such values for each of its `notices`."""
    found = {name: getattr(content, name) for name in ("key", "kind", "rule", "job", "subject", "sentence", "host")}
    found |= {"text": content.text, "over": content.over or None, "run": content.run_id}
    found |= {"began_at": content.began_at.isoformat(), "at": content.at.isoformat()}
    found |= {"next_run_at": content.next_run_at and content.next_run_at.isoformat()}
    found |= {"error": content.error or None, "counts": content.counts, "log": list(content.log)}
    found |= {"notices": [plain(part) for part in content.parts]} if content.parts else {}
    return found | {"links": dict(content.links)}


def slack(content: Content) -> dict[str, Any]:
    """A message for a Slack incoming webhook: blocks, and the subject for where those are not shown.

    https://docs.slack.dev/reference/block-kit/blocks
    """
    if content.parts:
        room, texts = DIGEST_LOGS // len(content.parts), [f"*{_mrkdwn(content.subject)}*"]
        return _blocks(content, texts + [text for part in content.parts for text in _slack_part(part, room)])
    sign = _sign(content)
    facts = "\n".join(f"*{_mrkdwn(name)}:* {_mrkdwn(value)}" for name, value in content.facts)
    links = " · ".join(f"<{url}|{_mrkdwn(name)}>" for name, url in content.links)
    texts = [f"{sign} *{_mrkdwn(content.subject)}*", _mrkdwn(content.sentence), facts, links]
    texts += [_code(content.error)] if content.error else []
    texts += [_code("\n".join(content.log))] if content.log else []
    return _blocks(content, texts)


def _slack_part(content: Content, room: int) -> list[str]:
    links = " · ".join(f"<{url}|{_mrkdwn(name)}>" for name, url in content.links)
    said = f"{_sign(content)} *{_mrkdwn(content.subject)}*\n{links}\n{_mrkdwn(content.sentence[:PART])}"
    log = "\n".join([*([content.error] if content.error else []), *content.log])
    return [said, *([_code(log[-room:])] if log else [])]


def _blocks(content: Content, texts: Sequence[str]) -> dict[str, Any]:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION]}} for text in texts if text]
    return {"text": _mrkdwn(content.subject), "blocks": blocks}


def _sign(content: Content) -> str:
    return ":white_check_mark:" if content.is_good else ":rotating_light:"


def _mrkdwn(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    # The end of a log tells more than its beginning; a text may not end the block that it is in.
    return f"```{_mrkdwn(text.replace('```', chr(39) * 3))[-SECTION + 10:]}```"


def teams(content: Content) -> dict[str, Any]:
    """A message for the webhook of a Teams workflow: an Adaptive Card.

    https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams
    """
    body = [_heading(content)]
    for part in content.parts:
        body += [_heading(part), _as_it_is(part.sentence[:PART])]
        body += [_as_it_is(name, selectAction={"type": "Action.OpenUrl", "url": url}) for name, url in part.links[:1]]
    if not content.parts:
        body.append(_as_it_is(content.sentence))
        body.append({"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in content.facts]})
    for text in (content.error, "\n".join(content.log)):
        body += [_as_it_is(text[-5_000:], fontType="Monospace", size="Small")] if text else []
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4"}
    actions = [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in content.links]
    content_type = "application/vnd.microsoft.card.adaptive"
    whole = card | {"body": body} | ({"actions": actions} if actions else {})
    return {"type": "message", "attachments": [{"contentType": content_type, "contentUrl": None, "content": whole}]}


def _heading(content: Content) -> dict[str, Any]:
    colour = "Good" if content.is_good else "Attention"
    shown = {"wrap": True, "size": "Medium", "weight": "Bolder", "color": colour}
    return {"type": "TextBlock", "text": content.subject, **shown}


def _as_it_is(text: str, **how: Any) -> dict[str, Any]:
    # Other texts of a card are Markdown, in which somebody's error could be a link.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **how}]}


def pagerduty(content: Content, key: SecretStr) -> dict[str, Any]:
    """An event for PagerDuty: one incident from a notice's beginning to its end; a test resolves at once.

    https://developer.pagerduty.com/docs/send-alert-event
    """
    ends = content.kind in (ENDED, TEST)
    event = {"routing_key": key.get_secret_value(), "event_action": "resolve" if ends else "trigger"}
    event["dedup_key"] = content.key
    payload = {"summary": content.sentence[:SUMMARY], "source": content.host, "component": content.job}
    payload |= {"severity": "error" if content.rule in ("failed", "overdue", "state_away") else "warning"}
    details = dict(content.facts) | {"error": content.error, "log": "\n".join(content.log)}
    links = [{"href": url, "text": name} for name, url in content.links]
    whole = {"class": content.rule, "timestamp": content.at.isoformat(), "custom_details": details}
    return {**event, "payload": {**payload, **whole}, "links": links, "client": "Janitor"}
