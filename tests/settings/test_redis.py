"""The settings of Redis: a URL that is a secret as a whole, and what is no URL of a Redis server."""

import pytest

from janitor.errors import BadSetting
from janitor.logs.mask import mask_for
from janitor.settings import Settings


@pytest.mark.parametrize("url", ["redis://h", "rediss://:word-7@h:6380/1", "unix:///run/redis.sock"])
def test_urls_of_redis_are_taken(url: str) -> None:
    read = Settings.load({"REDIS_URL": f" {url} "}, dotenv=None).redis_url
    assert read is not None and read.get_secret_value() == url and url not in repr(read)


@pytest.mark.parametrize("url", ["http://:word-7@h", "h:6379", "mysql://h"])
def test_what_is_no_url_of_redis_is_refused_unseen(url: str) -> None:
    with pytest.raises(
        BadSetting, match=r"^REDIS_URL is '\(not shown\)': it is not the URL of a Redis server"
    ) as caught:
        Settings.load({"REDIS_URL": url}, dotenv=None)
    assert url not in str(caught.value)


def test_the_password_is_masked() -> None:
    settings = Settings.load({"REDIS_URL": "redis://:sesame-7@h:6379"}, dotenv=None)
    assert "sesame-7" not in mask_for(settings)("redis://:sesame-7@h:6379 and sesame-7")
