"""Hosts: by which names a dashboard may be asked that is open to its machine."""

import pytest

from janitor.settings import Settings
from janitor.web.access.hosts import host_is_ours, is_open


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("localhost", True),
        ("janitor.example:80", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.1", False),
        ("", False),
        ("[broken", False),
    ],
)
def test_an_open_dashboard_has_the_names_of_its_machine(host: str, ours: bool) -> None:
    settings = Settings.load({"WEB_URL": "https://janitor.example"}, dotenv=None)
    assert is_open(settings) and host_is_ours(settings, host) is ours


def test_whoever_signs_in_may_come_by_any_name() -> None:
    settings = Settings.load({"WEB_VIEWER_TOKEN": "0123456789abcdef"}, dotenv=None)
    assert not is_open(settings) and host_is_ours(settings, "evil.example")
