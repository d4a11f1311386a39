"""Forwarding items to a real compute worker: what it gets, what becomes of its answer, and where a token may be."""

import json
import logging
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import BadSetting, Cancelled, DeadlineExceeded, Rejected, Skip, Unavailable
from janitor.items.forward import Forward
from janitor.items.item import Item
from janitor.items.stores.folder import FolderStore
from janitor.items.trying import Failed
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.items.answers import TOKEN
from tests.servers import compute, free_port
from tests.servers.compute import HEALTH, Behaviour, ComputeWorker

NONE = Settings.load({}, dotenv=None)


def item(key: str = "K7", **changes: Any) -> Item:
    args = {"experimentId": "E5", "body": {"name": "Umap", "cells": [1, 2]}}
    return Item("analyses", "compute", key, changes.pop("args", args), secrets={"Authorization": TOKEN}, **changes)


def within(seconds: float) -> Run:
    """A run in which a step has so many seconds for an item."""
    return Run(deadline=time.monotonic() + seconds, timeout_seconds=seconds)


def test_an_item_is_computed(worker: ComputeWorker) -> None:
    asked = item()
    assert Forward(worker.url)(asked) is None
    assert asked.result == {"computed": asked.args}
    (request,) = worker.requests
    assert (request.method, request.path, request.json) == ("POST", "/", asked.args)
    assert request.headers["authorization"] == TOKEN and request.headers["content-type"] == "application/json"


def test_path_body_method_and_headers_are_as_wanted(worker: ComputeWorker) -> None:
    forward = Forward(
        f"{worker.url}/v0/", "/{body.name}/{key}", method="PUT", body="body", headers={"X-Token": "Authorization"}
    )
    asked = item("a/../b?c")
    forward(asked)
    (request,) = worker.requests
    assert (request.method, request.path) == ("PUT", "/v0/Umap/a%2F..%2Fb%3Fc")
    assert request.json == asked.args["body"] and asked.result == {"computed": asked.args["body"]}
    assert request.headers["x-token"] == TOKEN and "authorization" not in request.headers


def test_an_item_without_a_secret_is_sent_without_it(worker: ComputeWorker) -> None:
    Forward(worker.url)(Item("analyses", "compute", "K7", {}))
    assert "authorization" not in worker.requests[0].headers


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: 1", "größe", 7, ["a"]])
def test_a_secret_that_is_no_header_is_refused(secret: Any, worker: ComputeWorker) -> None:
    with pytest.raises(Failed, match="^its Authorization cannot be sent as a header$") as caught:
        Forward(worker.url)(Item("analyses", "compute", "K7", {}, secrets={"Authorization": secret}))
    assert caught.value.code == "malformed" and worker.requests == []


def test_an_error_becomes_the_items_error(worker: ComputeWorker) -> None:
    forward = Forward(worker.url, statuses={"E7": "too few cells"})
    worker.next = [compute.answers(200, {"error": {"code": code, "message": "2 cells"}}) for code in ("E7", "E8")]
    for code, status in (("E7", "too few cells"), ("E8", None)):
        asked = item()
        with pytest.raises(Failed, match="^2 cells$") as caught:
            forward(asked)
        assert (caught.value.code, caught.value.status, asked.result) == (code, status, None)


def test_the_fields_of_an_error_may_have_other_names(worker: ComputeWorker) -> None:
    worker.next = [compute.answers(500, {"error": {"error_code": "R_ERR", "user_message": "no such gene"}})]
    with pytest.raises(Failed, match="^no such gene$") as caught:
        Forward(worker.url, code="error_code", message="user_message")(item())
    assert caught.value.code == "R_ERR"


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (compute.half, "gave no whole answer: its answer broke off in the middle (ProtocolError)"),
        (compute.half_in_chunks, "gave no whole answer: its answer broke off in the middle (ProtocolError)"),
        (compute.die, "gave no whole answer: it broke off (ProtocolError)"),
        (compute.answers(200, b"x" * 3_000), "gave no whole answer: its answer has more than 2,000 bytes"),
        (compute.answers(200, b"<html>"), "answered with no JSON: Expecting value: line 1 column 1 (char 0)"),
        (compute.answers(200, b""), "answered with no JSON: its answer is empty"),
        (compute.answers(404, b"not here"), "answered 404: not here"),
    ],
)
def test_each_trouble_ends_in_one_sentence(behave: Behaviour, says: str, worker: ComputeWorker) -> None:
    worker.next, asked = [behave], item()
    with pytest.raises(Failed) as caught:
        Forward(worker.url, most_bytes=2_000)(asked)
    assert str(caught.value) == f"the compute worker at 127.0.0.1:{worker.port} {says}"
    assert asked.result is None and len(worker.requests) == 1


@pytest.mark.parametrize("behave", [compute.hang, compute.drip, compute.drip_headers, compute.slowly(3)])
def test_a_worker_is_given_the_time_of_its_step(behave: Behaviour, worker: ComputeWorker) -> None:
    # Given: a step that has 0.8 s for an item. What must hold: its end is told before the time is over, as an end by
    # time.
    worker.next = [behave]
    run = within(0.8)
    with running(run), pytest.raises(DeadlineExceeded, match="took longer than its step has: its "):
        Forward(worker.url)(item())
    assert run.remaining_seconds > 0


def test_health_connecting_and_pauses_share_the_time(worker: ComputeWorker) -> None:
    worker.next = [compute.answers(503, "later")] * 9
    run = within(1.5)
    with running(run), pytest.raises(Failed, match='answered 503: "later"$'):
        Forward(worker.url, tries=9)(item())
    assert run.remaining_seconds > 0 and 1 < len(worker.requests) < 9


def test_a_run_that_is_asked_to_stop_ends_the_wait(worker: ComputeWorker) -> None:
    run = Run()

    def and_stop(talk: compute.Talk) -> None:
        run.ask_to_stop(Cancelled("a person asked"))
        compute.hang(talk)

    worker.next = [and_stop]
    with running(run), pytest.raises(Cancelled, match="a person asked"):
        Forward(worker.url)(item())


def test_a_worker_that_is_not_healthy_fails_no_item(worker: ComputeWorker) -> None:
    forward = Forward(worker.url, health=HEALTH, health_seconds=0.1)
    worker.is_healthy.clear()
    with pytest.raises(Skip, match="is not healthy: it answered 503$"):
        forward(item())
    assert worker.requests == []
    worker.is_healthy.set()
    forward(item())
    forward(item())
    assert len(worker.requests) == 2 and worker.looks == 2


def test_the_answer_is_kept_in_the_store_and_not_computed_again(worker: ComputeWorker, tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    forward, first, second = Forward(worker.url, store=store, settings=NONE), item(), item()
    forward(first)
    kept = tmp_path / "analyses" / "K7.json"
    assert json.loads(kept.read_bytes()) == {"computed": first.args} and first.result == {"address": str(kept)}
    forward(second)
    assert second.result == first.result and len(worker.requests) == 1
    worker.next = [compute.answers(200, b'{"new": [1,  2]}')]
    replace(forward, anew=True)(second)
    assert kept.read_bytes() == b'{"new": [1,  2]}' and len(worker.requests) == 2
    worker.next = [compute.answers(200, b'{"reprocessed": 1}')]
    forward(replace(second, times=2))
    assert kept.read_bytes() == b'{"reprocessed": 1}' and len(worker.requests) == 3


def test_an_error_is_not_kept(worker: ComputeWorker, tmp_path: Path) -> None:
    worker.next = [compute.answers(200, {"error": "no"}), compute.answers(200, b"half", ""), compute.half]
    forward = Forward(worker.url, store=FolderStore(tmp_path), settings=NONE)
    for _ in range(3):
        with pytest.raises(Failed):
            forward(item())
    assert list(tmp_path.rglob("*")) == []


def test_what_the_store_says_is_raised(worker: ComputeWorker, tmp_path: Path) -> None:
    forward = Forward(worker.url, store=FolderStore(tmp_path / "gone"), settings=NONE)
    with pytest.raises(Rejected, match="for results is not there: make it, or mount its disk$"):
        forward(item())
    assert worker.requests == [], "nothing is computed that cannot be kept"


def test_a_token_is_nowhere_but_in_the_request(worker: ComputeWorker, caplog: pytest.LogCaptureFixture) -> None:
    # Given: a worker that repeats the token in its errors. What must hold: no text of ours has it.
    caplog.set_level(logging.DEBUG)
    worker.next = [
        compute.answers(200, {"error": {"code": TOKEN, "message": f"bad {TOKEN}"}}),
        compute.answers(403, f"you are {TOKEN}".encode()),
        compute.half,
        compute.well,
    ]
    forward, asked = Forward(worker.url), item()
    texts = [repr(forward), repr(asked)]
    for _ in range(3):
        with pytest.raises(Failed) as caught:
            forward(asked)
        texts += [str(caught.value), repr(caught.value), str(caught.value.code), repr(caught.value.__cause__)]
    forward(asked)
    texts += [caplog.text, json.dumps(asked.result)]
    assert [text for text in texts if TOKEN in text or "token-of-a" in text] == []
    assert [request.headers["authorization"] for request in worker.requests] == [TOKEN] * 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "/{body.gone}"}, "there is no body.gone for '/{body.gone}'"),
        ({"path": "/{body.dots}"}, "'..' cannot stand in the path of an address"),
        ({"path": "/{body.empty}"}, "'' cannot stand in the path of an address"),
        ({"body": "gone"}, "its arguments have no gone, which is what the compute worker gets"),
    ],
)
def test_an_item_that_lacks_what_is_sent_is_told(options: dict[str, Any], says: str, worker: ComputeWorker) -> None:
    with pytest.raises((Failed, Rejected)) as caught:
        Forward(worker.url, **options)(item(args={"body": {"dots": "..", "empty": ""}}))
    assert str(caught.value) == says and worker.requests == []


def test_the_address_may_stand_in_a_variable(worker: ComputeWorker, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("http://127.0.0.1:1")
    settings = Settings.load({"COMPUTE_URL_FILE": str(tmp_path / "url")}, dotenv=None)
    forward = Forward(setting="COMPUTE_URL", settings=settings, tries=1)
    with pytest.raises(Failed, match="^the compute worker at 127.0.0.1:1 cannot be asked"):
        forward(item())
    (tmp_path / "url").write_text(worker.url)
    forward(item())
    assert len(worker.requests) == 1
    for given, says in (({}, "is missing"), ({"COMPUTE_URL": "compute:4000"}, r"is '\(not shown\)'")):
        with pytest.raises(BadSetting, match=f"^COMPUTE_URL {says}: give the compute worker's address"):
            Forward(setting="COMPUTE_URL", settings=Settings.load(given, dotenv=None))(item())


def test_settings_come_from_the_environment_if_none_are_given(
    worker: ComputeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_URL", worker.url)
    Forward(setting="COMPUTE_URL")(item())
    assert len(worker.requests) == 1


def test_it_can_be_handed_to_another_process(worker: ComputeWorker, tmp_path: Path) -> None:
    settings = Settings.load({"COMPUTE_URL": worker.url}, dotenv=None)
    forward = Forward(setting="COMPUTE_URL", store=FolderStore(tmp_path), settings=settings, name="compute")
    forward(item("before"))
    again = pickle.loads(pickle.dumps(forward))
    assert (again.__name__, again) == ("compute", forward)
    again(item("after"))
    assert len(worker.requests) == 2


def test_check_asks_for_the_workers_health(worker: ComputeWorker) -> None:
    where = f"the compute worker at 127.0.0.1:{worker.port}"
    assert Forward(worker.url).look(NONE) == (f"{where} is asked nothing now: give health, and `check` asks there",)
    forward = Forward(worker.url, health=HEALTH)
    assert forward.look(NONE) == (f"{where} is healthy",)
    worker.is_healthy.clear()
    with pytest.raises(Unavailable, match="is not healthy: it answered 503; start it, or correct its address"):
        forward.look(NONE)
    with pytest.raises(Unavailable, match="is not healthy: it cannot be reached: nothing listens there"):
        Forward(f"http://127.0.0.1:{free_port()}", health=HEALTH).look(NONE)
    with pytest.raises(BadSetting, match="^COMPUTE_URL is missing"):
        Forward(setting="COMPUTE_URL").look(NONE)
    assert worker.requests == []


def test_many_items_are_sent_at_the_same_time(worker: ComputeWorker) -> None:
    worker.next = [compute.slowly(0.2)] * 8
    forward, asked = Forward(worker.url), [item(str(number), args={"n": number}) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(forward, asked))
    assert [one.result for one in asked] == [{"computed": {"n": number}} for number in range(8)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "url is missing: give the compute worker's address, such as http://compute:4000, or setting"),
        ({"url": "http://a", "setting": "B"}, "url is 'http://a': give the compute worker's address"),
        ({"url": "compute:4000"}, "url is 'compute:4000': give the compute worker's address"),
        ({"url": "http://a", "method": "GET"}, "method is 'GET': give one of POST, PUT, PATCH"),
        ({"url": "http://a", "path": "/{"}, "path is '/{': give names in braces"),
        ({"url": "http://a", "tries": 0}, "tries is '0': give a whole number from 1 to 1,000"),
        (
            {"url": "http://a", "health_seconds": -1},
            "health_seconds is '-1': give a number of seconds from 0 to 604,800",
        ),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Forward(**options)
    assert str(caught.value).startswith(says)
