"""The application: the headers of every answer."""

import pytest

from tests.web.access.guarded import PAGE, House


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
