"""A link to a real Redis: how many heard a message, bounded waits, and what is wrong with a URL."""

import pytest

from janitor.errors import BadSetting, Unavailable
from janitor.items.replies.redis_link import RedisLink, pack
from janitor.settings import Settings
from tests.servers import free_port
from tests.servers.redis import Redis
from tests.small_engine import eventually


def link(url: str, answer_seconds: float = 10.0) -> RedisLink:
    return RedisLink(Settings.load({"REDIS_URL": url}, dotenv=None), "REDIS_URL", "this test", answer_seconds)


def test_what_nobody_hears_is_told(redis: Redis) -> None:
    made = link(redis.url)
    made.connect()
    assert made.publish("nobody", b"x") == 0 and made.where == f"Redis at 127.0.0.1:{redis.port}"
    made.close()


def test_a_server_that_hangs_is_given_up_and_used_again(redis: Redis) -> None:
    made = link(redis.url, 0.3)
    made.connect()
    redis.tell("CLIENT", "PAUSE", "2000", "ALL")
    with pytest.raises(Unavailable, match=f"^Redis at 127.0.0.1:{redis.port} did not answer in time"):
        made.publish("nobody", b"x")
    eventually(lambda: redis.tell("PING") == "+PONG")
    assert made.publish("nobody", b"x") == 0
    made.close()


def test_a_socket_file_is_told_as_the_place() -> None:
    with pytest.raises(Unavailable, match="^Redis at /nowhere/redis.sock cannot be reached"):
        link("unix:///nowhere/redis.sock").connect()


@pytest.mark.parametrize("url", ["redis://h:many/0", "redis://h:1/0?socket_timeout=often"])
def test_a_malformed_url_is_a_bad_setting(url: str) -> None:
    with pytest.raises(BadSetting, match=r"^REDIS_URL is '\(not shown\)': give a URL such as redis://"):
        link(url)


def test_a_link_to_nobody_is_told() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"^Redis at 127.0.0.1:{port} cannot be reached: .*refused"):
        link(f"redis://127.0.0.1:{port}").connect()


def test_half_a_character_is_packed_as_an_escape() -> None:
    assert pack({"a": "\ud800"}, "this test") == b"\x81\xa1a\xa6\\ud800"
