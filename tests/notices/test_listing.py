"""What `notices` lists: the open notices, and how each channel works."""

from janitor.notices import listing
from janitor.notices.channel import Undelivered
from janitor.notices.post import Post
from tests.notices.house import House
from tests.notices.notebook import Notebook
from tests.small_engine import now


def test_the_listing_tells_how_each_channel_works(house: House) -> None:
    house.ran("failed")
    house.watch("webhook", "slack").look(now())
    for name, errors in (("webhook", [Undelivered("it answered 500")]), ("slack", [])):
        Post(house.runner, Notebook(name, errors=errors))._round(now())
    with house.runner.state.read() as connection:
        (open_notice,) = listing.open_notices(connection)
        rows = {row["channel"]: row for row in listing.channel_states(connection, house.runner.settings)}
    assert (open_notice["job"], open_notice["rule"], open_notice["text"]) == ("copy", "failed", "failed: no space left")
    assert list(rows) == ["webhook"] and rows["webhook"]["where"] == "not set any more"
    assert (rows["webhook"]["waiting"], rows["webhook"]["error"]) == (1, "it answered 500")
