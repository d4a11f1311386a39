"""Replies over HTTP at a real web server: what arrives, what is tried again, and where a message cannot aim."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from janitor.errors import BadSetting, Cancelled, Rejected, Skip, Unavailable
from janitor.items.replies.http import HttpReply
from janitor.logs.mask import mask_for
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.items.answers import TOKEN, Kept, answer
from tests.servers import compute, free_port
from tests.servers.compute import Behaviour, ComputeWorker

LAB_TOKEN = "token-of-the-lab"
SETTINGS = {"LAB_TOKEN": LAB_TOKEN}


def reply_to(worker: ComputeWorker, path: str = "/items/{key}", **options: Any) -> HttpReply:
    return HttpReply("lab", f"{worker.url}{path}", **options)


def send(reply: HttpReply, **changes: Any) -> None:
    sender = reply.open(Settings.load(SETTINGS, dotenv=None))
    sender.send(answer(**changes))
    sender.beat({"key": "K7"})
    sender.close()


def test_a_reply_is_posted_as_json(worker: ComputeWorker) -> None:
    worker.next = [compute.answers(204, b"")]
    send(reply_to(worker, headers={"Authorization": "LAB_TOKEN"}), content=Kept(b"x"))
    (asked,) = worker.requests
    assert (asked.method, asked.path) == ("POST", "/items/K7")
    assert (asked.json["key"], asked.json["address"]) == ("K7", "s3://results/K7")
    assert asked.json["results"] == {"compute": {"cells": 3}}
    headers = asked.headers
    assert (headers["idempotency-key"], headers["content-type"]) == ("analyses-41", "application/json")
    assert headers["authorization"] == LAB_TOKEN and TOKEN.encode() not in asked.body


@pytest.mark.parametrize("key", ["a/../../b", "a?b=c#d", "größe x", "%2e%2e/", "{status}", "\r\nX-Evil: 1", "@evil/"])
def test_what_is_filled_in_leads_to_no_other_path(key: str, worker: ComputeWorker) -> None:
    send(reply_to(worker), key=key)
    (asked,) = worker.requests
    assert asked.path.startswith("/items/") and asked.path.count("/") == 2 and "?" not in asked.path
    assert "x-evil" not in asked.headers


def test_dots_that_lead_to_another_path_are_given_up(worker: ComputeWorker) -> None:
    with pytest.raises(Rejected, match="'..' cannot stand in the path of an address"):
        send(reply_to(worker), key="..")
    assert worker.requests == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_go_later_waits(status: int, worker: ComputeWorker) -> None:
    worker.next = [compute.answers(status, {"why": "not now"})]
    with pytest.raises(Unavailable, match=rf'^127.0.0.1:\d+: it answered {status}: {{"why": "not now"}}$'):
        send(reply_to(worker))
    assert len(worker.requests) == 1


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 409, 410, 422])
def test_what_can_never_go_is_given_up(status: int, worker: ComputeWorker) -> None:
    worker.next = [compute.answers(status, b"", "Location: /elsewhere\r\n")]
    with pytest.raises(Rejected, match=rf"^127.0.0.1:\d+: it answered {status}$"):
        send(reply_to(worker))
    assert len(worker.requests) == 1, "no redirect is followed"


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (compute.hang, "it did not answer in time"),
        (compute.drip_headers, "it did not answer in time"),
        (compute.die, "it broke off"),
    ],
)
def test_a_server_without_an_answer_lets_the_reply_wait(behave: Behaviour, says: str, worker: ComputeWorker) -> None:
    worker.next = [behave]
    with pytest.raises(Unavailable, match=rf"^127.0.0.1:\d+: {says}"):
        send(reply_to(worker, answer_seconds=0.5))


def test_a_server_that_is_away_lets_the_reply_wait() -> None:
    with pytest.raises(Unavailable, match=r"^127.0.0.1:\d+: it cannot be reached: nothing listens there"):
        send(HttpReply("lab", f"http://127.0.0.1:{free_port()}/"))


def test_a_run_that_is_to_stop_waits_no_longer(worker: ComputeWorker) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("a person asked"))
    worker.next = [compute.hang]
    with running(run), pytest.raises(Cancelled, match="a person asked"):
        send(reply_to(worker))


@pytest.fixture
def named(worker: ComputeWorker) -> Iterator[tuple[HttpReply, ComputeWorker]]:
    """A reply to where a message says, which may be the worker's server."""
    yield HttpReply("caller", url_at="callback", hosts=[f"127.0.0.1:{worker.port}", "*.Example.org"]), worker


def test_a_message_may_name_an_allowed_server(named: tuple[HttpReply, ComputeWorker]) -> None:
    reply, worker = named
    send(reply, envelope={"callback": f"{worker.url}/mine?a=1"})
    send(reply, args={"callback": f"{worker.url}/yours"})
    with pytest.raises(Skip, match="^nobody asked by this way$"):
        send(reply)
    assert [asked.path for asked in worker.requests] == ["/mine?a=1", "/yours"]


ELSEWHERE = [
    "http://127.0.0.1/",
    "http://127.0.0.1:1/",
    "https://127.0.0.1:{port}.evil.example/",
    "http://127.0.0.1:{port}@evil.example/",
    "http://evil.example#@127.0.0.1:{port}/",
    "http://evil.example\\@127.0.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://localhost:{port}/",
    "http://example.org/",
    "http://evilexample.org/",
    "http://lab.example.org:81/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "",
    7,
    ["http://127.0.0.1:{port}/"],
]


@pytest.mark.parametrize("given", ELSEWHERE)
def test_a_message_cannot_aim_elsewhere(given: Any, named: tuple[HttpReply, ComputeWorker]) -> None:
    reply, worker = named
    url = given.format(port=worker.port) if isinstance(given, str) else given
    with pytest.raises(Rejected, match="^callback (is no address such as|names .* which is none of)"):
        send(reply, envelope={"callback": url})
    assert worker.requests == []


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://lab.example.org/x", ["lab.example.org"]),
        ("https://LAB.example.org./x", ["Lab.Example.org"]),
        ("http://a.b.example.org/x", ["*.example.org"]),
        ("https://lab.example.org:8443/x", ["lab.example.org:8443"]),
        ("http://[::1]:81/x", ["[::1]:81"]),
    ],
)
def test_hosts_that_may_be_named(url: str, allowed: list[str]) -> None:
    assert HttpReply("caller", url_at="callback", hosts=allowed).address_of(answer(envelope={"callback": url})) == url


def test_a_tokens_variable_must_be_given_and_is_masked(worker: ComputeWorker) -> None:
    reply = reply_to(worker, headers={"Authorization": "LAB_TOKEN"})
    with pytest.raises(BadSetting, match="^LAB_TOKEN is missing: give what goes into a header of the reply lab$"):
        reply.look(Settings.load({}, dotenv=None))
    settings = Settings.load(SETTINGS, dotenv=None)
    assert reply.look(settings) == (f"the reply lab is posted to 127.0.0.1:{worker.port}, which is asked nothing now",)
    assert mask_for(settings)(f"the {LAB_TOKEN}") == "the ***" and LAB_TOKEN not in repr(reply.open(settings))
    named = replace(reply, url="", url_at="callback", hosts=["a.example.org", "b.example.org:81"])
    assert named.look(settings)[0].endswith("to where a message says, within a.example.org, b.example.org:81")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "url is missing: give either url, or url_at with hosts"),
        ({"url": "https://a/", "url_at": "callback"}, "url is 'https://a/': give either url"),
        ({"url_at": "callback"}, "hosts is missing: give the servers that a message may name"),
        ({"url_at": "callback", "hosts": ["https://lab/"]}, "hosts is 'https://lab/': give the servers"),
        ({"url": "https://{host}/a"}, "url is 'https://{host}/a': give an address whose host is fixed"),
        ({"url": "https://lab.{org}/a"}, "url is 'https://lab.{org}/a': give an address whose host is fixed"),
        ({"url": "https://lab?{key}"}, "url is 'https://lab?{key}': give an address whose host is fixed"),
        ({"url": "{all}"}, "url is '{all}': give an address whose host is fixed"),
        ({"url": "https://me:word@lab/a"}, "url is 'https://me:word@lab/a': give an address whose host is fixed"),
        ({"url": "https://lab/{"}, "url is 'https://lab/{': give names in braces"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        HttpReply("lab", **options)
    assert str(caught.value).startswith(says)


def test_a_message_without_a_key_is_told_to_no_address_that_is_made_of_it(worker: ComputeWorker) -> None:
    with pytest.raises(Skip, match="the message has no key, and the address is made of it"):
        send(HttpReply("lab", f"{worker.url}/goods/{{key}}"), key="")
    send(HttpReply("lab", f"{worker.url}/goods"), key="")
    assert [one.path for one in worker.requests] == ["/goods"]
