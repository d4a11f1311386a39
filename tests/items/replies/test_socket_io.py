"""Replies to browsers: by a real Redis to Node's own socket.io server, and from there to a client that is connected."""

import base64
import gzip
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from janitor.errors import BadSetting, Rejected, Unavailable
from janitor.items.replies.socket_io import SocketReply, SocketSender
from janitor.settings import Settings
from tests.items.answers import FAILURE, TOKEN, Kept, answer
from tests.servers import free_port, running
from tests.servers.redis import PASSWORD, Redis
from tests.servers.socket_io import SocketClient, SocketServer
from tests.small_engine import eventually

REPLY = SocketReply("browser")
WHOLE = {"experimentId": "E5", "broadcast": True}


def settings(redis: Redis, **more: str) -> Settings:
    return Settings.load({"REDIS_URL": redis.url, **more}, dotenv=None)


@pytest.fixture
def client(socket_io: SocketServer) -> Iterator[SocketClient]:
    """A browser that is connected."""
    with socket_io.client() as client:
        yield client


@pytest.fixture
def sender(redis: Redis) -> Iterator[SocketSender]:
    """A connection by which browsers are told."""
    sender = REPLY.open(settings(redis))
    yield sender
    sender.close()


def told(client: SocketClient, count: int = 1) -> list[tuple[str, Any]]:
    """What a browser was told, once that is so many events."""
    eventually(lambda: len(client.told) >= count, lambda: f"it was told {client.told}")
    return client.told


def unpacked(content: dict[str, Any]) -> Any:
    assert content["result_is"] == "gzip, base64"
    return json.loads(gzip.decompress(base64.b64decode(content["result"])))


def test_a_browser_is_told_with_the_result(client: SocketClient, sender: SocketSender) -> None:
    sender.send(answer())
    ((event, content),) = told(client)
    assert event == "WorkResponse-K7" and unpacked(content) == {"compute": {"cells": 3}}
    assert (content["id"], content["status"], content["kind"], content["is_late"]) == (
        *("analyses-41", "processed", "ok"),
        False,
    )


def test_a_failure_is_told_with_its_code(client: SocketClient, sender: SocketSender) -> None:
    sender.send(answer(**FAILURE))
    ((event, content),) = told(client)
    assert event == "WorkResponse-K7" and content["result"] is None
    assert (content["code"], content["reason"]) == ("E7", "it has 2 größe cells")


def test_all_who_look_at_the_same_are_told_if_asked(client: SocketClient, sender: SocketSender) -> None:
    for broadcast in (False, "true", None, True):
        sender.send(answer(args={"experimentId": "E5", "broadcast": broadcast}))
    sender.send(answer(args={"broadcast": True}))
    sender.send(answer("last", args={}, envelope=WHOLE))
    told(client, 8)
    updates, responses = "ExperimentUpdates-E5", "WorkResponse-K7"
    assert client.events() == [*[responses] * 4, updates, responses, "WorkResponse-last", updates]
    assert client.told[4][1] == client.told[3][1]


def test_a_stored_result_is_told_up_to_a_size(client: SocketClient, redis: Redis) -> None:
    # Given: a limit of 400 characters, and three results: small, too large once packed, much too large.
    sender = replace(REPLY, inline_bytes=400).open(settings(redis))
    contents = [b'{"a": [1, 2]}', random.Random(7).randbytes(400), b"x" * 5_000]
    for content in contents:
        sender.send(answer(content=Kept(content)))
    told(client, 3)
    sender.close()
    first, *others = [content for _, content in client.told]
    assert unpacked(first) == {"a": [1, 2]}
    for content in others:
        assert (content["result"], content["result_is"], content["address"]) == (None, None, "s3://results/K7")


def test_the_default_limit_is_250_kb() -> None:
    noise = random.Random(7).randbytes(188_000)
    fits, too_large = (REPLY.content(answer(content=Kept(noise[:size]))) for size in (187_000, 188_000))
    assert len(fits["result"]) <= 250_000 and too_large["result"] is None


def test_one_step_or_all_are_told_without_a_store() -> None:
    results = {"cut": {"n": 1}, "match": {"n": 2}}
    assert unpacked(dict(REPLY.content(answer(results=results)))) == results
    one = replace(REPLY, step="match")
    assert unpacked(dict(one.content(answer(results=results)))) == {"n": 2}
    assert one.content(answer(results={}))["result"] is None


def test_only_the_browser_that_asked_is_told(socket_io: SocketServer, redis: Redis) -> None:
    sender = replace(REPLY, to_socket=True).open(settings(redis))
    with socket_io.client() as mine, socket_io.client() as other:
        sender.send(answer(args={"socketId": mine.id, **WHOLE}))
        sender.beat({"key": "K7", "stage": "compute", "args": {"socketId": mine.id, **WHOLE}})
        sender.send(answer("all", args={}))
        told(mine, 4)
        told(other, 2)
        assert mine.events() == ["WorkResponse-K7", "ExperimentUpdates-E5", "Heartbeat-E5", "WorkResponse-all"]
        assert other.events() == ["ExperimentUpdates-E5", "WorkResponse-all"]
        assert mine.told[0][1]["socket"] == mine.id
    sender.close()


def test_stages_are_told_as_they_come(client: SocketClient, sender: SocketSender) -> None:
    item = {"pipeline": "analyses", "key": "K7", "args": {**WHOLE, "Authorization": TOKEN}, "secrets": {"a": TOKEN}}
    sender.beat({**item, "stage": "received"})
    sender.beat({**item, "args": {}, "stage": "nobody looks at it"})
    sender.beat({**item, "step": "compute", "stage": "computing", "seconds": 31.5})
    told(client, 2)
    assert client.told == [
        ("Heartbeat-E5", {"pipeline": "analyses", "key": "K7", "stage": "received"}),
        (
            "Heartbeat-E5",
            {"pipeline": "analyses", "key": "K7", "step": "compute", "stage": "computing", "seconds": 31.5},
        ),
    ]


def test_no_token_is_told(client: SocketClient, sender: SocketSender) -> None:
    sender.send(answer(args={**WHOLE, "Authorization": TOKEN}, envelope={"Authorization": TOKEN}))
    assert TOKEN not in json.dumps(told(client, 2)) and TOKEN not in repr(REPLY)


def test_a_reply_waits_while_no_server_listens(redis: Redis, socket_io: SocketServer, sender: SocketSender) -> None:
    # Given: Redis without a socket.io server. What happens: the reply is sent, then again once a server is there.
    # What must hold: the first waits, as nobody has it; the second is heard.
    with socket_io.killed():
        eventually(lambda: nobody_hears(sender))
        with pytest.raises(
            Unavailable, match=r"has nobody to tell: no socket.io server listens on socket.io#/#\*: start"
        ):
            sender.send(answer())
        sender.beat({"args": WHOLE, "stage": "compute"})
        assert "no socket.io server listens" in REPLY.look(settings(redis))[0]
    with socket_io.client() as client:
        sender.send(answer())
        told(client)
    assert REPLY.look(settings(redis)) == (
        f"Redis at 127.0.0.1:{redis.port} answers, and a socket.io server listens there",
    )


def nobody_hears(sender: SocketSender) -> bool:
    try:
        sender.send(answer("probe"))
    except Unavailable:
        return True
    return False


def test_servers_of_another_namespace_or_key_get_theirs(redis: Redis, socket_io: SocketServer) -> None:
    reply = SocketReply("browser", prefix="lab", namespace="/private")
    with running(SocketServer(redis, "lab", "/private")) as other, other.client() as theirs, socket_io.client() as ours:
        sender = reply.open(settings(redis))
        sender.send(answer())
        sender.close()
        own = REPLY.open(settings(redis))
        own.send(answer("ours"))
        own.close()
        assert (told(theirs)[0][0], told(ours)[0][0]) == ("WorkResponse-K7", "WorkResponse-ours")
        assert (len(theirs.told), len(ours.told)) == (1, 1)


def test_a_redis_that_was_away_is_used_again(redis: Redis, socket_io: SocketServer, sender: SocketSender) -> None:
    with redis.killed():
        with pytest.raises(Unavailable, match=rf"^Redis at 127.0.0.1:{redis.port} cannot be reached: .*refused"):
            sender.send(answer())
        sender.beat({"args": WHOLE, "stage": "compute"})
        with pytest.raises(Unavailable, match="cannot be reached"):
            REPLY.open(settings(redis))
    with socket_io.client() as client:
        eventually(lambda: not nobody_hears(sender))
        assert told(client)[0][0] == "WorkResponse-probe"


def test_a_wrong_password_stops_the_run_and_loses_no_reply(redis: Redis, sender: SocketSender) -> None:
    wrong = Settings.load({"REDIS_URL": f"redis://:wrong-word@127.0.0.1:{redis.port}"}, dotenv=None)
    with pytest.raises(Rejected, match="refuses the user or the password: correct its URL") as caught:
        REPLY.open(wrong)
    assert "wrong-word" not in str(caught.value)
    redis.tell("CLIENT", "KILL", "TYPE", "normal")
    redis.tell("CONFIG", "SET", "requirepass", "another")
    try:
        with pytest.raises(Unavailable, match="refuses the user or the password"):
            sender.send(answer())
    finally:
        redis.kill()


def test_a_user_without_rights_is_told(redis: Redis) -> None:
    redis.tell("ACL", "SETUSER", "reader", "on", ">word-7", "+subscribe")
    url = f"redis://reader:word-7@127.0.0.1:{redis.port}"
    sender = REPLY.open(Settings.load({"REDIS_URL": url}, dotenv=None))
    with pytest.raises(Unavailable, match="does not let this user publish: grant it that"):
        sender.send(answer())
    sender.close()


def test_a_user_who_may_only_publish_is_enough(redis: Redis, client: SocketClient) -> None:
    redis.tell("ACL", "SETUSER", "writer", "on", ">word-8", "+publish", "&socket.io#*")
    sender = REPLY.open(Settings.load({"REDIS_URL": f"redis://writer:word-8@127.0.0.1:{redis.port}"}, dotenv=None))
    sender.send(answer())
    sender.close()
    assert told(client)[0][0] == "WorkResponse-K7"


def test_the_url_may_stand_in_another_variable_and_is_masked(redis: Redis) -> None:
    other = replace(REPLY, setting="LAB_REDIS")
    with pytest.raises(BadSetting, match="^LAB_REDIS is missing: give a URL such as redis://"):
        other.open(Settings.load({}, dotenv=None))
    with pytest.raises(BadSetting, match=r"^LAB_REDIS is '\(not shown\)': give a URL such as redis://"):
        other.open(Settings.load({"LAB_REDIS": "http://somewhere"}, dotenv=None))
    other.open(Settings.load({"LAB_REDIS": redis.url}, dotenv=None)).close()


def test_nobody_at_the_address_is_told() -> None:
    nowhere = Settings.load({"REDIS_URL": f"redis://:{PASSWORD[:4]}@127.0.0.1:{free_port()}"}, dotenv=None)
    with pytest.raises(Unavailable, match="cannot be reached"):
        REPLY.look(nowhere)


@pytest.mark.parametrize("package", ["redis", "msgpack"])
def test_a_missing_package_is_told(package: str, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    said = f"^the reply browser needs {package}: install Janitor with the extra 'redis'$"
    with pytest.raises(Rejected, match=said):
        REPLY.look(settings(redis))


def test_the_bytes_are_those_of_the_emitter() -> None:
    # The package socket.io-emitter publishes msgpack of [uid, packet, options]; 0x93 begins a list of three.
    packet = REPLY.packet("E", {"a": 1}, "R")
    assert packet == (
        b"\x93\xa7emitter"
        b"\x83\xa4type\x02\xa4data\x92\xa1E\x81\xa1a\x01\xa3nsp\xa1/"
        b"\x83\xa5rooms\x91\xa1R\xa6except\x90\xa5flags\x80"
    )
    assert (REPLY.channel(), REPLY.channel("R")) == ("socket.io#/#", "socket.io#/#R#")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"response_event": "a-{kee}"}, "response_event is 'a-{kee}': {kee} is not known here"),
        ({"heartbeat_event": "{"}, "heartbeat_event is '{': give names in braces"),
        ({"namespace": "lab"}, "namespace is 'lab': give \"/\", or a name that begins with it"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        SocketReply("browser", **options)
    assert str(caught.value).startswith(says)
