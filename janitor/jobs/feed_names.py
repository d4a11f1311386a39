"""The names of the feeds that a task declares: under these it keeps its cursors."""

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.guard import foreign_code
from janitor.needs import FeedNeed, Need
from janitor.settings.settings import Settings


def feed_names(needs: Iterable[Need], settings: Settings) -> tuple[str, ...]:
    """The name of each declared feed; of a feed whose database is not given, nothing is known."""
    found: list[str] = []
    for need in needs:
        if isinstance(need, FeedNeed) and (url := _url(need, settings)) is not None:
            # A feed that cannot be made is told by `check`, and by the run.
            with foreign_code(lambda error: None):
                found.append(str(need.feed(url).name))
    return tuple(dict.fromkeys(found))


def _url(need: FeedNeed, settings: Settings) -> URL | None:
    with suppress(BadSetting):
        return settings.database(need.setting)
    return None
