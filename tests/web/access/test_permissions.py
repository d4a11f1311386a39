"""Permissions: who gets in, who may change things, and the proof that a change is meant."""

from pathlib import Path
from typing import Any

import pytest

from tests.web.access.guarded import OPERATOR_TOKEN, PAGE, SETTINGS, VIEWER_TOKEN, House, opened


def test_nobody_gets_nothing(house: House) -> None:
    nobody = house.caller()
    for path in ("/api/jobs", "/api/session", "/runs/1/events", "/events", "/metrics"):
        answer = nobody("GET", path)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer", path
        assert answer.json()["error"].startswith("sign in, or")
    asked = nobody("GET", "/jobs?x=1&y=2", Accept=PAGE)
    assert (asked.status, asked.headers["Location"]) == (303, "/sign-in?next=/jobs%3Fx%3D1%26y%3D2")
    assert nobody("POST", "/api/jobs/tick/pause").status == 401
    assert nobody("POST", "/api/jobs/tick/pause", Authorization=f"Bearer {OPERATOR_TOKEN}x").status == 401
    assert nobody("GET", "/api/jobs", Cookie="janitor_session=WyJhbm5hIiwieCJd.aaaa.bbbb").status == 401
    assert not house.is_paused


def test_a_viewer_may_look_and_change_nothing(house: House) -> None:
    ben = house.caller("ben")
    assert ben("GET", "/api/jobs").status == 200
    answer = ben("POST", "/api/jobs/tick/pause", X_CSRF_Token=ben.token)
    assert answer.status == 403 and "only an operator" in answer.json()["error"]
    told = ("ben", "refused", "POST /api/jobs/tick/pause from 127.0.0.1: only an operator may do that")
    assert house.audit()[0] == told
    program = house.caller(Authorization=f"Bearer {VIEWER_TOKEN}")
    assert program("GET", "/api/jobs").status == 200
    assert program("POST", "/api/jobs/tick/pause").status == 403 and not house.is_paused


def test_what_is_refused_again_and_again_is_recorded_five_times(tmp_path: Path) -> None:
    # Given: a viewer, and another site that leads an operator's browser here. What happens: both ask eight times.
    # What must hold: each time it is refused, and the audit does not grow with it.
    for house in opened(tmp_path, **SETTINGS):
        ben, anna = house.caller("ben"), house.caller("anna")
        ben_token, anna_token, path = ben.token, anna.token, "/api/jobs/tick/pause"
        for _ in range(8):
            assert ben("POST", path, X_CSRF_Token=ben_token).status == 403
            assert anna("POST", path, X_CSRF_Token=anna_token, Origin="https://evil.example").status == 403
            assert house.caller(Authorization="Bearer nobodys-0123456789")("GET", "/api/jobs").status == 401
        refused = [who for who, what, _ in house.audit() if what == "refused"]
    assert {who: refused.count(who) for who in refused} == {"ben": 5, "anna": 5, "somebody": 5}


def test_a_change_shows_that_it_is_meant(house: House) -> None:
    anna, other = house.caller("anna"), house.caller("anna")
    token, path = anna.token, "/api/jobs/tick/pause"
    headers: dict[str, Any]
    for headers in (
        {},
        {"X_CSRF_Token": ""},
        {"X_CSRF_Token": other.token},
        {"X_CSRF_Token": token, "Origin": "https://evil.example"},
        {"X_CSRF_Token": token, "Origin": "null"},
        {"X_CSRF_Token": token, "Sec_Fetch_Site": "cross-site"},
        {"X_CSRF_Token": token, "Sec_Fetch_Site": "same-site"},
    ):
        assert anna("POST", path, **headers).status == 403, headers
        assert not house.is_paused, headers
    assert anna("POST", "/jobs/tick/pause", {"csrf_token": "x" * 64}, Accept=PAGE).status == 403
    assert not house.is_paused
    assert anna("POST", "/jobs/tick/pause", {"csrf_token": token}, Origin=house.address).status == 303
    assert house.is_paused and house.audit()[0][:2] == ("anna", "paused")
    assert anna("POST", "/api/jobs/tick/resume", X_CSRF_Token=token, Sec_Fetch_Site="same-origin").status == 200
    assert not house.is_paused


def test_a_bearer_token_needs_no_other_proof(house: House) -> None:
    program = house.caller(Authorization=f"Bearer {OPERATOR_TOKEN}")
    assert program("POST", "/api/jobs/tick/pause").status == 200 and house.is_paused
    assert program("POST", "/api/jobs/tick/resume").status == 200 and not house.is_paused
    assert house.audit()[0][:2] == ("operator token", "resumed")


def test_without_users_whoever_is_here_is_an_operator(open_house: House) -> None:
    somebody = open_house.caller()
    who = somebody("GET", "/api/session").json()
    assert (who["name"], who["role"]) == ("local", "operator")
    assert somebody("POST", "/api/jobs/tick/pause").status == 403, "another site could do that"
    assert somebody("POST", "/api/jobs/tick/pause", X_CSRF_Token=who["csrf_token"]).status == 200
    assert open_house.is_paused and open_house.audit()[0][:2] == ("local", "paused")
    assert somebody("GET", "/sign-in").headers["Location"] == "/"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "", "localhost.evil.example"]
)
def test_without_users_no_other_name_leads_here(open_house: House, host: str) -> None:
    answer = open_house.caller()("GET", "/api/jobs", Host=host)
    assert answer.status == 403 and "is not at this address" in answer.json()["error"]
    assert open_house.caller()("GET", "/api/jobs", Host="localhost:8080").status == 200
    assert open_house.caller()("GET", "/api/jobs", Host="[::1]").status == 200
