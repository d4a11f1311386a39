"""What `notices` lists: the open notices, and how each channel works."""

from typing import Any

from sqlalchemy import Connection

from janitor.notices.channels import channels_of
from janitor.settings.settings import Settings
from janitor.state import deliveries, notices

NOTICE_COLUMNS = {
    "notice": "notice",
    "job": "job",
    "rule": "rule",
    "began_at": "since (UTC)",
    "told_at": "last told (UTC)",
    "run": "run",
    "text": "what",
}
"""The keys of `open_notices`, and their headings."""
CHANNEL_COLUMNS = {
    "channel": "channel",
    "where": "",
    "waiting": "waiting",
    "delivered_at": "last delivered (UTC)",
    "error": "last error",
}
"""The keys of `channel_states`, and their headings."""


def open_notices(connection: Connection) -> list[dict[str, Any]]:
    """Return the notices that have not ended, the oldest first."""
    return [
        {
            "notice": row.id,
            "job": row.job,
            "rule": row.rule,
            "began_at": row.began_at,
            "told_at": row.told_at,
            "run": row.run_id,
            "text": row.text,
        }
        for row in notices.still_open(connection)
    ]


def channel_states(connection: Connection, settings: Settings) -> list[dict[str, Any]]:
    """Return each channel that is set, and each that is not but still has something to tell; with its last error."""
    known = {row["channel"]: row for row in deliveries.of_channels(connection)}
    rows = []
    for channel in channels_of(settings):
        new = {"channel": channel.name, "where": channel.where, "waiting": 0, "delivered_at": None, "error": None}
        rows.append({**new, **known.pop(channel.name, {})})
    return rows + [{**row, "where": "not set any more"} for row in known.values() if row["waiting"]]
