"""Who may do what: the dependencies that let a request in, and the proof that a change is meant."""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from janitor.operations import actions
from janitor.web.access.gate import Gate, Session, User

COOKIE = "janitor_session"
CSRF_FIELD, CSRF_HEADER = "csrf_token", "X-CSRF-Token"
LOCAL = User("local", "operator")
"""Everybody, if the settings name nobody."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_bearer = HTTPBearer(auto_error=False, description="WEB_OPERATOR_TOKEN or WEB_VIEWER_TOKEN.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The session that signing in begins.")


def gate_of(request: Request) -> Gate:
    """The gate of the application that a request goes to, with the users and tokens of now."""
    found: Gate = request.app.state.gate
    found.look_again()
    return found


async def viewer(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> User:
    """Let in a user who may look, as a dependency: `Depends(viewer)`.

    Raises:
        HTTPException: 401, if the settings name nobody with this token or session.
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
    """Let in a user who may change things, as a dependency.

    Raises:
        HTTPException: 401, or 403 for a viewer.
    """
    if user.role != "operator":
        await _refused(request, user.name, "only an operator may do that")
        raise HTTPException(403, f"{user.name} may look, and change nothing: only an operator may do that")
    return user


async def meant(request: Request, user: Annotated[User, Depends(viewer)]) -> User:
    """Let in a user who means this request: it comes from the dashboard's own pages.

    Such a request shows the session's token, in the form field `csrf_token` or the header `X-CSRF-Token`. A request
    with a bearer token needs no other: no browser sends a bearer token by itself.

    Raises:
        HTTPException: 401; or 403, if another site made the request, or an old page.
    """
    session: Session = request.state.session
    if not session.id:
        return user
    if not is_own_page(request):
        await _refused(request, user.name, "it came from another site")
        raise HTTPException(403, "this request came from another site, and is refused")
    if not hmac.compare_digest(gate_of(request).proof(session.id).encode(), (await _shown(request)).encode()):
        await _refused(request, user.name, "it showed no valid token of a form")
        raise HTTPException(403, "this page is out of date: load it again, then repeat what you did")
    return user


async def changing(user: Annotated[User, Depends(operator)], same: Annotated[User, Depends(meant)]) -> User:
    """Let in an operator who means this request, as a dependency of every request that changes something.

    Raises:
        HTTPException: as `operator` and `meant` do.
    """
    return user


def csrf_token(request: Request) -> str:
    """The token of this request's session, for the hidden field `csrf_token` of each form; empty without a session."""
    session: Session | None = getattr(request.state, "session", None)
    return gate_of(request).proof(session.id) if session is not None and session.id else ""


def signs_in(request: Request) -> bool:
    """Whether people sign in here; False if everybody on this machine is an operator."""
    return not gate_of(request).is_open


def is_own_page(request: Request) -> bool:
    """Whether a request comes from a page of this dashboard, or from a program."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    ours = (request.headers.get("Host", ""), gate_of(request).url.netloc or None)
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc in ours)


def address_of(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else "unknown"


def _let_in(request: Request, session: Session) -> User:
    request.state.session = session
    request.state.user = session.user
    return session.user


async def _shown(request: Request) -> str:
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and request.headers.get("Content-Type", "").partition(";")[0].strip().lower() in FORMS:
        field = (await request.form()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    return shown or ""


async def _refused(request: Request, who: str, why: str) -> None:
    """Leave an audit line of a refused request."""
    state, refusals, address = request.app.state.desk.state, gate_of(request).refusals, address_of(request)
    # Another site may lead a browser here again and again: that must not fill the table.
    if refusals.wait_seconds(who, address):
        return
    refusals.add(who, address)
    said = f"{request.method} {request.url.path} from {address}: {why}"
    await run_in_threadpool(actions.note, state, who, "refused", said[:1000], state.clock.now())
