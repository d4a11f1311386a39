"""Signing in and out, and who a request is made as."""

import logging
import math
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from janitor.operations import actions
from janitor.settings.accounts import Role
from janitor.settings.passwords import MOST_PASSWORD
from janitor.web.access.gate import SESSION_SECONDS, User
from janitor.web.access.permissions import COOKIE, address_of, csrf_token, gate_of, is_own_page, meant
from janitor.web.injected import TheDesk, Viewer
from janitor.web.rendering import render

log = logging.getLogger(__name__)

router = APIRouter()


class Who(BaseModel):
    """The user of a request."""

    name: str
    role: Role
    csrf_token: str


@router.get("/api/session", tags=["session"])
async def who(request: Request, user: Viewer) -> Who:
    """Tell who this request is made as, and the token that the session shows with each change."""
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
    here: TheDesk,
    user: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=MOST_PASSWORD)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Begin a session, for a user with a password, or for a token that is given as the password without a user."""
    gate, address, name, now = gate_of(request), address_of(request), user.strip(), here.now()
    if gate.is_open:
        return RedirectResponse(_inside(next), 303)
    if not is_own_page(request):
        raise HTTPException(403, "this request came from another site, and is refused")
    found, wait_seconds = gate.attempt(name, password, address)
    if wait_seconds:
        return _too_many(request, next, name, wait_seconds)
    if found is None:
        # A name that nobody has may be a password, typed into the wrong field.
        who = name if gate.knows(name) else "somebody"
        log.warning("a sign-in of %s from %s is refused", who, address)
        actions.note(here.state, who, "refused sign-in", f"from {address}", now)
        sentence = "This user and password do not fit." if name else "Give a user and the password."
        return _form(request, 401, next, name, sentence)
    actions.note(here.state, found.name, "signed in", f"from {address}", now)
    answer, value = RedirectResponse(_inside(next), 303), gate.signed(found)
    answer.set_cookie(COOKIE, value, SESSION_SECONDS, path="/", secure=gate.is_https, httponly=True, samesite="lax")
    return answer


@router.post("/sign-out", include_in_schema=False)
def sign_out(request: Request, user: Annotated[User, Depends(meant)], here: TheDesk) -> Response:
    """End the session."""
    gate = gate_of(request)
    if not gate.is_open:
        gate.end(request.state.session.id)
        actions.note(here.state, user.name, "signed out", f"from {address_of(request)}", here.now())
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/", secure=gate.is_https, httponly=True, samesite="lax")
    return answer


def sign_in_path(request: Request) -> str:
    """The page to sign in on; it leads back to the page that this request wanted."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if wanted == "/" or request.method != "GET" else f"/sign-in?next={quote(wanted, safe='/')}"


def _too_many(request: Request, next: str, name: str, wait_seconds: float) -> Response:
    minutes = math.ceil(wait_seconds / 60)
    sentence = f"Too many sign-ins have failed: wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
    answer = _form(request, 429, next, name, sentence)
    answer.headers["Retry-After"] = str(math.ceil(wait_seconds))
    return answer


def _form(request: Request, status: int, next: str, name: str, sentence: str) -> Response:
    values = {"next": _inside(next), "name": name, "sentence": sentence, "has_tokens": gate_of(request).has_tokens}
    return render(request, "sign_in.html", status, **values)


def _inside(path: str) -> str:
    """The path, if it is of this site; else the first page. So nobody is led to another site."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain and path.isascii() else "/"
