"""The OpenAPI document: what FastAPI makes of the routes, with who may make which request."""

from collections.abc import Sequence
from typing import Any

from janitor.web.access.permissions import CSRF_HEADER

Security = list[dict[str, list[str]]]
CSRF = {
    "type": "apiKey",
    "in": "header",
    "name": CSRF_HEADER,
    "description": "`csrf_token` as GET /api/session tells it. A request with a bearer token needs none.",
}


def completed(document: dict[str, Any], is_open: bool) -> dict[str, Any]:
    """The document, changed in place: a change needs a bearer token, or a session and the token of its forms.

    If the dashboard is open to this machine, nobody signs in, and a change needs only the token of the forms.
    """
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    bearers = [name for name, scheme in schemes.items() if scheme["type"] == "http"]
    cookies = [name for name, scheme in schemes.items() if scheme.get("in") == "cookie"]
    for path in document["paths"].values():
        for method, operation in path.items():
            if operation.pop("security", None):
                operation["security"] = _needed(bearers, cookies, method != "get", is_open)
    for name in [*bearers, *cookies] if is_open else ():
        del schemes[name]
    schemes["csrf"] = CSRF
    return document


def _needed(bearers: Sequence[str], cookies: Sequence[str], changes: bool, is_open: bool) -> Security:
    proof: dict[str, list[str]] = {"csrf": []} if changes else {}
    if is_open:
        return [proof] if changes else []
    with_bearer: Security = [{name: []} for name in bearers]
    return with_bearer + [{name: [], **proof} for name in cookies]
