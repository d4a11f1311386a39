"""The OpenAPI document: who may make which request."""

from typing import Any

import pytest

from janitor.web.serving.document import completed


def document() -> dict[str, Any]:
    """What FastAPI makes of two routes that need a user, and of a route that anybody may ask."""
    schemes = {"HTTPBearer": {"type": "http"}, "APIKeyCookie": {"type": "apiKey", "in": "cookie"}}
    needed: list[dict[str, list[str]]] = [{"HTTPBearer": []}, {"APIKeyCookie": []}]
    jobs = {"get": {"security": needed}, "post": {"security": needed}}
    return {"paths": {"/jobs": jobs, "/health": {"get": {}}}, "components": {"securitySchemes": schemes}}


def test_a_change_needs_a_token_or_a_session_with_its_proof() -> None:
    made = completed(document(), is_open=False)
    jobs = made["paths"]["/jobs"]
    assert jobs["get"]["security"] == [{"HTTPBearer": []}, {"APIKeyCookie": []}]
    assert jobs["post"]["security"] == [{"HTTPBearer": []}, {"APIKeyCookie": [], "csrf": []}]
    assert set(made["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyCookie", "csrf"}


def test_an_open_dashboard_asks_only_for_the_proof() -> None:
    made = completed(document(), is_open=True)
    jobs = made["paths"]["/jobs"]
    assert (jobs["get"]["security"], jobs["post"]["security"]) == ([], [{"csrf": []}])
    assert made["components"]["securitySchemes"].keys() == {"csrf"}
    assert made["components"]["securitySchemes"]["csrf"]["name"] == "X-CSRF-Token"


@pytest.mark.parametrize("is_open", [True, False])
def test_what_needs_no_user_still_needs_none(is_open: bool) -> None:
    assert completed(document(), is_open)["paths"]["/health"] == {"get": {}}
