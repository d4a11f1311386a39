"""The settings of items."""

from pydantic import Field

from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Secret


class ItemSettings(SettingsGroup):
    """How secrets that come with items are kept until they are used."""

    items_key: Secret | None = Field(
        None,
        description="seals secrets of items in the state database: any long text, the same for all daemons; without it "
        "a key is kept in a file beside HEARTBEAT_FILE",
    )
