"""Access: who gets in, who may change things, and the proof that a change is meant."""

import hashlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from janitor.scheduler import Scheduler
from janitor.settings.accounts import Hash
from janitor.state import actions, job_records
from janitor.web.access import gate
from janitor.web.access.gate import Failures, Gate, User
from janitor.web.dependencies import Desk
from tests.small_engine import empty_state, settings_for
from tests.web.caller import Caller
from tests.web.desks import served

PAGE = "text/html,application/xhtml+xml"
OPERATOR_TOKEN, VIEWER_TOKEN = "operator-token-0123456789", "viewer-token-0123456789"


def hashed(password: str) -> str:
    """A password's hash that is quick to compare."""
    salt = b"0123456789abcdef"
    return str(Hash(16, 8, 1, salt, hashlib.scrypt(password.encode(), salt=salt, n=16, r=8, p=1, dklen=32)))


USERS = " ".join(
    f"{name}:{role}:{hashed(f'{name}s password')}"
    for name, role in (("anna", "operator"), ("ben", "viewer"), ("carl", "operator"))
)
SETTINGS = {"WEB_USERS": USERS, "WEB_OPERATOR_TOKEN": OPERATOR_TOKEN, "WEB_VIEWER_TOKEN": VIEWER_TOKEN}


def tick() -> None:
    """Do nothing."""


def add_jobs(scheduler: Scheduler) -> None:
    """One job."""
    scheduler.add_job(tick, "interval", hours=1)


@dataclass
class House:
    """A desk that is served, with users or without."""

    desk: Desk
    address: str

    def caller(self, user: str = "", **headers: str) -> Caller:
        """Somebody new, signed in where a user is given."""
        made = Caller(self.address, {name.replace("_", "-"): value for name, value in headers.items()})
        if user:
            assert made.sign_in(user, f"{user}s password").status == 303
        return made

    @property
    def is_paused(self) -> bool:
        """Whether the job is."""
        with self.desk.state.read() as connection:
            record = job_records.all_jobs(connection).get("tick")
        return record is not None and record.paused_at is not None

    def audit(self) -> list[tuple[str, str, str]]:
        """What people did, or were refused, the newest first."""
        with self.desk.state.read() as connection:
            return [(row.actor, row.action, row.detail) for row in actions.listing(connection)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house where people sign in."""
    yield from opened(tmp_path_factory.mktemp("guarded"), **SETTINGS)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that names nobody."""
    yield from opened(tmp_path_factory.mktemp("open"))


def opened(folder: Path, **settings: str) -> Iterator[House]:
    request: Any = type("Request", (), {"param": "sqlite"})
    with served(empty_state(request, folder), folder, add_jobs, **settings) as (desk, address):
        yield House(desk, address)


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
    assert house.caller().sign_in("anna", "annas password").status == 303


def test_failures_are_counted_by_user_by_address_and_by_both() -> None:
    def fail(failures: Failures, user: str, address: str, times: int, now: float) -> float:
        return [failures.begin(user, address, now) for _ in range(times)][-1]

    failures = Failures()
    assert fail(failures, "anna", "10.0.0.1", 5, 100.0) == 0
    assert failures.begin("anna", "10.0.0.1", 150.0) == 250
    assert failures.begin("anna", "10.0.0.2", 150.0) == 0 == failures.begin("ben", "10.0.0.1", 150.0)
    assert failures.begin("anna", "10.0.0.1", 400.5) == 0
    failures = Failures()
    assert [fail(failures, f"user {number}", "10.0.0.1", 4, 7.0) for number in range(5)] == [0] * 5
    assert failures.begin("somebody", "10.0.0.1", 8.0) == 299
    failures = Failures()
    assert [fail(failures, "anna", f"10.0.0.{number}", 4, 7.0) for number in range(5)] == [0] * 5
    assert failures.begin("anna", "10.0.0.9", 8.0) == 299
    failures = Failures()
    for _ in range(40):
        assert failures.begin("anna", "10.0.0.1", 7.0) == 0
        failures.succeeded("anna", "10.0.0.1")


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


def test_sessions_end_with_the_password_and_with_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(**more: str) -> Gate:
        settings = SETTINGS | more
        return Gate(settings_for(empty_state(_sqlite(), tmp_path), tmp_path, **settings))

    cookie = made().signed(User("anna", "operator"))
    session = made().session(cookie)
    assert session is not None and session.user == User("anna", "operator"), "it outlives a restart"
    assert made(WEB_USERS=USERS.replace(hashed("bens password"), hashed("another password"))).session(cookie) is None
    assert made(WEB_OPERATOR_TOKEN="another-token-0123456789").session(cookie) is None
    # Its last character holds bits that nobody reads: the first one of the signature counts.
    head, _, signature = cookie.rpartition(".")
    assert made().session(f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}") is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + gate.SESSION_SECONDS - 5)
    assert made().session(cookie) is not None
    monkeypatch.setattr(time, "time", lambda: now + gate.SESSION_SECONDS + 5)
    assert made().session(cookie) is None


def test_roles_are_those_of_today(tmp_path: Path) -> None:
    url = empty_state(_sqlite(), tmp_path)
    cookie = Gate(settings_for(url, tmp_path, **SETTINGS)).signed(User("ben", "operator"))
    session = Gate(settings_for(url, tmp_path, **SETTINGS)).session(cookie)
    assert session is not None and session.user.role == "viewer"


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


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nope", "/api/nope", "/api/jobs?limit=x", "/static/janitor.css"])
@pytest.mark.parametrize("accept", [PAGE, "application/json"])
def test_every_answer_carries_the_headers(open_house: House, path: str, accept: str) -> None:
    for host in (open_house.address.removeprefix("http://"), "evil.example"):
        answer = open_house.caller()("GET", path, Accept=accept, Host=host)
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert "unsafe" not in "".join(policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        wanted = "no-cache" if path.startswith("/static") else "no-store"
        assert answer.headers["Cache-Control"] == wanted and "server" not in answer.headers


def test_errors_are_sentences_for_programs_and_pages_for_people(open_house: House) -> None:
    somebody = open_house.caller()
    assert somebody("GET", "/api/nope").json() == {"error": "there is nothing at this address"}
    page = somebody("GET", "/nope", Accept=PAGE)
    assert page.status == 404 and "there is nothing at this address" in page.data.decode().lower()
    assert page.headers["Content-Type"].startswith("text/html")
    assert somebody("DELETE", "/api/jobs").json() == {"error": "this address does not take such a request"}
    big = somebody("POST", "/api/jobs/tick/pause", {"csrf_token": "x" * 70_000})
    assert big.status == 413


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _sqlite() -> Any:
    return type("Request", (), {"param": "sqlite"})
