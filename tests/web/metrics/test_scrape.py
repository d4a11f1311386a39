"""The page that Prometheus scrapes."""

from janitor.web.desk import Desk
from tests.web.desks import ask
from tests.web.metrics.scraping import OPENMETRICS


def test_the_answer_is_in_the_format_that_was_asked_for(house: tuple[Desk, str]) -> None:
    plain = ask(f"{house[1]}/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    other = ask(f"{house[1]}/metrics", Accept=OPENMETRICS)
    assert other.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.text.endswith("# EOF\n")
