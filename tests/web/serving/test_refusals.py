"""Errors: sentences for programs, pages for people."""

from tests.web.access.guarded import PAGE, House


def test_errors_are_sentences_for_programs_and_pages_for_people(open_house: House) -> None:
    somebody = open_house.caller()
    assert somebody("GET", "/api/nope").json() == {"error": "there is nothing at this address"}
    page = somebody("GET", "/nope", Accept=PAGE)
    assert page.status == 404 and "there is nothing at this address" in page.data.decode().lower()
    assert page.headers["Content-Type"].startswith("text/html")
    assert somebody("DELETE", "/api/jobs").json() == {"error": "this address does not take such a request"}
    big = somebody("POST", "/api/jobs/tick/pause", {"csrf_token": "x" * 70_000})
    assert big.status == 413
    assert big.json() == {"error": "the body of this request is larger than is taken here: send less at once"}
