"""Who may do what: the dependencies that let a request in, the proof that a change is meant, signing in and out."""

import hmac
import logging
import math
import time
from datetime import datetime, timezone
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from janitor.operations import actions
from janitor.settings.accounts import MOST_PASSWORD, Role
from janitor.web.access.gate import SESSION_SECONDS, Gate, Session, User
from janitor.web.dependencies import Desk, desk
from janitor.web.rendering import render

__all__ = ["User", "changing", "csrf_token", "operator", "router", "viewer"]

log = logging.getLogger(__name__)

COOKIE = "janitor_session"
CSRF_FIELD, CSRF_HEADER = "csrf_token", "X-CSRF-Token"
LOCAL = User("local", "operator")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

router = APIRouter()
_bearer = HTTPBearer(auto_error=False, description="WEB_OPERATOR_TOKEN or WEB_VIEWER_TOKEN.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The session that signing in begins.")


def gate_of(request: Request) -> Gate:
    """The gate of the application that a request goes to."""
    found: Gate = request.app.state.gate
    return found


async def viewer(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> User:
    """Let in whoever may look, as a dependency: `Depends(viewer)`.

    Raises:
        HTTPException: 401, for whoever is nobody that the settings name.
    """
    gate = gate_of(request)
    if gate.is_open:
        return _let_in(request, Session(LOCAL, LOCAL.name))
    if bearer is not None:
        user = gate.of_token(bearer.credentials)
        if user is None:
            await _refused(request, "somebody", "the bearer token is wrong")
            raise HTTPException(401, "this bearer token is nobody's", {"WWW-Authenticate": "Bearer"})
        return _let_in(request, Session(user, ""))
    session = gate.session(cookie or "")
    if session is None:
        raise HTTPException(401, "sign in, or send a bearer token", {"WWW-Authenticate": "Bearer"})
    return _let_in(request, session)


async def operator(request: Request, user: Annotated[User, Depends(viewer)]) -> User:
    """Let in whoever may change things, as a dependency.

    Raises:
        HTTPException: 401, or 403 for a viewer.
    """
    if user.role != "operator":
        await _refused(request, user.name, "only an operator may do that")
        raise HTTPException(403, f"{user.name} may look, and change nothing: only an operator may do that")
    return user


async def meant(request: Request, user: Annotated[User, Depends(viewer)]) -> User:
    """Let in whoever is signed in and means it: the request comes from one of the dashboard's own pages.

    It shows the session's token, in the form field `csrf_token` or the header `X-CSRF-Token`; a request with a bearer
    token needs none, as no browser sends that by itself.

    Raises:
        HTTPException: 401, or 403 for a request that another site made, or an old page.
    """
    session: Session = request.state.session
    if not session.id:
        return user
    if not _is_own_page(request):
        await _refused(request, user.name, "it came from another site")
        raise HTTPException(403, "this request came from another site, and is refused")
    if not hmac.compare_digest(gate_of(request).proof(session.id).encode(), (await _shown(request)).encode()):
        await _refused(request, user.name, "it showed no valid token of a form")
        raise HTTPException(403, "this page is out of date: load it again, then repeat what you did")
    return user


async def changing(user: Annotated[User, Depends(operator)], same: Annotated[User, Depends(meant)]) -> User:
    """Let in an operator who means it, as a dependency of every request that changes something.

    Raises:
        HTTPException: as `operator` and `meant` do.
    """
    return user


def csrf_token(request: Request) -> str:
    """The token of this request's session, for a hidden field `csrf_token` in each form; empty for nobody's session."""
    session: Session | None = getattr(request.state, "session", None)
    return gate_of(request).proof(session.id) if session is not None and session.id else ""


def signs_in(request: Request) -> bool:
    """Whether there is anybody to sign in, or out, as; False where everybody on this machine is an operator."""
    return not gate_of(request).is_open


def host_is_ours(gate: Gate, host: str) -> bool:
    """Whether a request's Host is one of ours; any is, where people sign in.

    Without that, another site could lead its visitors' browsers here, under a name of its own that it points at them.
    """
    if not gate.is_open:
        return True
    name = urlsplit(f"//{host}").hostname or ""
    if name in ("localhost", gate.url.hostname):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Who(BaseModel):
    """Whom a request is made as."""

    name: str
    role: Role
    csrf_token: str


@router.get("/api/session", tags=["session"])
async def who(request: Request, user: Annotated[User, Depends(viewer)]) -> Who:
    """Tell whom this request is made as, and the token that its session shows with each change."""
    return Who(name=user.name, role=user.role, csrf_token=csrf_token(request))


@router.get("/sign-in", include_in_schema=False)
def ask_to_sign_in(request: Request, next: str = "/") -> Response:
    """Show the form to sign in with."""
    gate = gate_of(request)
    if gate.is_open or gate.session(request.cookies.get(COOKIE, "")):
        return RedirectResponse(_inside(next), 303)
    return _form(request, 200, next, "", "")


@router.post("/sign-in", include_in_schema=False)
def sign_in(
    request: Request,
    here: Annotated[Desk, Depends(desk)],
    user: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=MOST_PASSWORD)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Begin a session for whoever gives a user and the password, or a token as a password without a user."""
    gate, address, name = gate_of(request), _address(request), user.strip()
    if gate.is_open:
        return RedirectResponse(_inside(next), 303)
    if not _is_own_page(request):
        raise HTTPException(403, "this request came from another site, and is refused")
    wait = gate.failures.begin(name, address, time.monotonic())
    if wait > 0:
        minutes = math.ceil(wait / 60)
        sentence = f"Too many sign-ins have failed: wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
        answer = _form(request, 429, next, name, sentence)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    found = gate.of_password(name, password)
    now = datetime.now(timezone.utc)
    if found is None:
        # What nobody is called may be a password that was typed into the wrong field.
        who = name if gate.knows(name) else "somebody"
        log.warning("a sign-in of %s from %s is refused", who, address)
        actions.note(here.state, who, "refused sign-in", f"from {address}", now)
        sentence = "This user and password do not fit." if name else "Give a user and the password."
        return _form(request, 401, next, name, sentence)
    gate.failures.succeeded(name, address)
    actions.note(here.state, found.name, "signed in", f"from {address}", now)
    answer = RedirectResponse(_inside(next), 303)
    answer.set_cookie(
        COOKIE, gate.signed(found), SESSION_SECONDS, path="/", secure=gate.is_https, httponly=True, samesite="lax"
    )
    return answer


@router.post("/sign-out", include_in_schema=False)
def sign_out(request: Request, user: Annotated[User, Depends(meant)], here: Annotated[Desk, Depends(desk)]) -> Response:
    """End the session."""
    gate = gate_of(request)
    if not gate.is_open:
        gate.end(request.state.session.id)
        actions.note(here.state, user.name, "signed out", f"from {_address(request)}", datetime.now(timezone.utc))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/", secure=gate.is_https, httponly=True, samesite="lax")
    return answer


def sign_in_path(request: Request) -> str:
    """Where somebody signs in who wanted this page, and comes back to it."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if wanted == "/" or request.method != "GET" else f"/sign-in?next={quote(wanted, safe='/')}"


def _form(request: Request, status: int, next: str, name: str, sentence: str) -> Response:
    values = {"next": _inside(next), "name": name, "sentence": sentence, "has_tokens": gate_of(request).has_tokens}
    return render(request, "sign_in.html", status, **values)


def _let_in(request: Request, session: Session) -> User:
    request.state.session = session
    request.state.user = session.user
    return session.user


def _is_own_page(request: Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    ours = (request.headers.get("Host", ""), gate_of(request).url.netloc or None)
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc in ours)


async def _shown(request: Request) -> str:
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and request.headers.get("Content-Type", "").partition(";")[0].strip().lower() in FORMS:
        field = (await request.form()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    return shown or ""


async def _refused(request: Request, who: str, why: str) -> None:
    """Leave an audit line of what was refused."""
    now = datetime.now(timezone.utc)
    said = f"{request.method} {request.url.path} from {_address(request)}: {why}"
    # Another site may lead a browser here again and again: that fills no table.
    if gate_of(request).refusals.begin(who, _address(request), time.monotonic()) > 0:
        return
    await run_in_threadpool(actions.note, request.app.state.desk.state, who, "refused", said[:1000], now)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _inside(path: str) -> str:
    """The path where it is one of this site, else the first page: nobody is led to another site."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain and path.isascii() else "/"
