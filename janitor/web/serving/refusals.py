"""What an error looks like: one sentence, as JSON for programs and as a page for people; or the page to sign in."""

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from janitor.errors import BadSetting, Interrupted, JanitorError, Rejected, Skip, Unavailable
from janitor.web.access.permissions import csrf_token, signs_in
from janitor.web.access.sign_in import sign_in_path
from janitor.web.rendering import render

TITLES = {401: "Sign in first", 403: "Refused", 404: "Not found", 422: "Not understood", 500: "Something went wrong"}
OTHER_WORDS = {"string_pattern_mismatch": "this text has not the form that is wanted here"}
"""What is said of a mistake in place of the framework's words."""
SENTENCES = {404: "there is nothing at this address", 405: "this address does not take such a request"}


def install(app: FastAPI) -> None:
    """Let the application answer every error with one sentence: `{"error": ...}` to programs."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(JanitorError, _janitor)
    app.add_exception_handler(Exception, _broken)


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page; else a program asks for JSON."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def status_of(error: JanitorError) -> int:
    """The HTTP status that fits an error of Janitor's."""
    if isinstance(error, (Unavailable, Rejected, Interrupted)):
        return 503
    return 422 if isinstance(error, BadSetting) else 409


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 401 and wants_page(request):
        return RedirectResponse(sign_in_path(request), 303)
    standard = HTTPStatus(status).phrase
    sentence = SENTENCES.get(status, standard) if error.detail == standard else str(error.detail)
    headers = {**(error.headers or {}), **_allowed(request)} if status == 405 else error.headers
    return _answer(request, status, sentence, headers)


def _allowed(request: Request) -> dict[str, str]:
    """All methods of an address of the API; the framework names only those of its first route."""
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch("[^/]+".join(map(re.escape, re.split(r"{\w+}", template))), request.url.path):
            return {"Allow": ", ".join(sorted(method.upper() for method in operations))}
    return {}


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        said = f"{first['ctx']['error']} (at character {first['loc'][-1]})"
        return _answer(request, 400, f"the body of this request is no JSON: {said}")
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    said = OTHER_WORDS.get(first["type"]) or str(first["msg"]).removeprefix("Value error, ")
    return _answer(request, 422, f"{where}: {said[0].lower()}{said[1:]}")


async def _janitor(request: Request, error: Exception) -> Response:
    assert isinstance(error, JanitorError)
    status = status_of(error)
    sentence = f"the job is {error}" if isinstance(error, Skip) else str(error)
    return _answer(request, status, sentence, {"Retry-After": "5"} if status == 503 else None)


async def _broken(request: Request, error: Exception) -> Response:
    return _answer(request, 500, "an unexpected error; the daemon's log tells where")


def _answer(request: Request, status: int, sentence: str, headers: Any = None) -> Response:
    if not wants_page(request):
        return JSONResponse({"error": sentence}, status, headers)
    title = TITLES.get(status, HTTPStatus(status).phrase)
    user = getattr(request.state, "user", None)
    more = {"user": user, "csrf": csrf_token(request), "signs_in": signs_in(request)}
    answer = render(request, "error.html", status, title=title, sentence=sentence, status=status, **more)
    answer.headers.update(headers or {})
    return answer
