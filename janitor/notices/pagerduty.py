"""A notice as an event for PagerDuty: one incident from the notice's beginning to its end.

https://developer.pagerduty.com/docs/send-alert-event
"""

from typing import Any

from pydantic import SecretStr

from janitor.notices.content import TEST, Content
from janitor.state.deliveries import ENDED

SUMMARY = 1_024
"""The longest summary that PagerDuty takes."""
SEVERE_RULES = ("failed", "overdue", "state_away")


def pagerduty(content: Content, key: SecretStr) -> dict[str, Any]:
    """Render a notice as an event that opens or closes its incident. A test closes its incident at once."""
    return {
        "routing_key": key.get_secret_value(),
        "event_action": "resolve" if content.kind in (ENDED, TEST) else "trigger",
        "dedup_key": content.key,
        "payload": {
            "summary": content.sentence[:SUMMARY],
            "source": content.host,
            "component": content.job,
            "severity": "error" if content.rule in SEVERE_RULES else "warning",
            "class": content.rule,
            "timestamp": content.at.isoformat(),
            "custom_details": {**dict(content.facts), "error": content.error, "log": "\n".join(content.log)},
        },
        "links": [{"href": url, "text": name} for name, url in content.links],
        "client": "Janitor",
    }
