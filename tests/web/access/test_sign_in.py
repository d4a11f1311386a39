"""Signing in and out: sessions, tokens, refusals, and where it leads."""

from pathlib import Path

import pytest

from tests.web.access.guarded import OPERATOR_TOKEN, SETTINGS, VIEWER_TOKEN, House, free_port, opened
from tests.web.caller import Caller


def test_a_user_with_a_password_gets_a_session(house: House) -> None:
    anna = house.caller()
    answer = anna.sign_in("anna", "annas password", "/jobs?x=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/jobs?x=1")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie and "annas password" not in cookie
    who = anna("GET", "/api/session").json()
    assert (who["name"], who["role"], len(who["csrf_token"])) == ("anna", "operator", 64)
    assert house.audit()[0] == ("anna", "signed in", "from 127.0.0.1")


def test_a_token_is_a_password_without_a_user(house: House) -> None:
    somebody = house.caller()
    assert somebody.sign_in("", VIEWER_TOKEN).status == 303
    assert somebody("GET", "/api/session").json()["name"] == "viewer token"
    assert house.caller().sign_in("anna", VIEWER_TOKEN).status == 401


@pytest.mark.parametrize(("user", "who"), [("anna", "anna"), ("mypassword", "somebody")])
def test_a_refused_sign_in_is_told_alike_and_recorded(house: House, user: str, who: str) -> None:
    stranger = house.caller()
    answer = stranger.sign_in(user, "a wrong password")
    assert answer.status == 401 and "This user and password do not fit." in answer.data.decode()
    assert "janitor_session" not in stranger.cookies
    # A name that nobody has may be a password in the wrong field.
    assert house.audit()[0] == (who, "refused sign-in", "from 127.0.0.1")


def test_after_five_failures_nobody_may_guess_on(house: House) -> None:
    stranger = house.caller()
    codes = [stranger.sign_in("carl", f"guess {number}").status for number in range(5)]
    answer = stranger.sign_in("carl", "carls password")
    assert codes == [401] * 5 and answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300 and "wait 5 minutes" in answer.data.decode()
    assert [(who, what) for who, what, _ in house.audit()].count(("carl", "refused sign-in")) == 5
    assert house.caller().sign_in("anna", "annas password").status == 303


def test_signing_out_ends_the_session_and_its_copies(house: House) -> None:
    anna = house.caller("anna")
    copy = Caller(house.address, cookies=dict(anna.cookies))
    assert copy("GET", "/api/jobs").status == 200
    assert anna("POST", "/sign-out").status == 403
    answer = anna("POST", "/sign-out", {"csrf_token": anna.token})
    assert answer.status == 303 and 'janitor_session=""' in answer.headers["Set-Cookie"]
    assert copy("GET", "/api/jobs").status == 401


@pytest.mark.parametrize(
    ("next", "leads"),
    [
        ("/jobs?x=1", "/jobs?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_no_other_site(house: House, next: str, leads: str) -> None:
    assert house.caller().sign_in("anna", "annas password", next).headers["Location"] == leads


def test_another_site_signs_nobody_in(house: House) -> None:
    form = {"user": "anna", "password": "annas password"}
    assert house.caller()("POST", "/sign-in", form, Origin="https://evil.example").status == 403


def test_over_https_the_cookie_insists_on_it(tmp_path: Path) -> None:
    port = free_port()
    for house in opened(tmp_path, WEB_URL="https://janitor.lab.example/", WEB_PORT=str(port), **SETTINGS):
        assert house.address == "https://janitor.lab.example"
        house.address = f"http://127.0.0.1:{port}"
        answer = house.caller().sign_in("anna", "annas password")
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")
        bearer = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        assert Caller(house.address, bearer)("GET", "/api/jobs", Host="janitor.lab.example").status == 200
        form = {"user": "anna", "password": "annas password"}
        # A proxy may pass on a Host of its own.
        assert house.caller()("POST", "/sign-in", form, Origin="https://janitor.lab.example").status == 303
