"""The rules of notices, which of them hold for a job that names none, and what a webhook gets."""

from datetime import datetime, timezone

from docs.marked import code, table
from janitor.notices.content import Content, digest
from janitor.notices.webhooks import plain
from janitor.settings import Settings
from janitor.settings.notices import RULES


def rules(old: str) -> str:
    """Each rule, in the order in which people list them."""
    default = Settings.model_fields["notice_rules"].default
    rows = [(code(rule), "on" if rule in default else "off") for rule in RULES]
    return table(("rule", "default", "begins to hold", "ends"), rows, old)


def webhook(old: str) -> str:
    """Each key of the JSON that a webhook gets."""
    now = datetime.now(timezone.utc)
    notice = Content("key", "began", "failed", "job", "text", now, now, "host")
    return table(("key", "meaning"), [(code(key),) for key in plain(digest([notice, notice]))], old)
