"""The settings of the dashboard: no error repeats a password's hash or a token."""

import pytest

from janitor.errors import BadSetting
from janitor.settings.web import WebSettings


@pytest.mark.parametrize(
    ("name", "right"),
    [("WEB_USERS", "name:role:hash"), ("WEB_OPERATOR_TOKEN", "at least 16"), ("WEB_VIEWER_TOKEN", "at least 16")],
)
def test_a_bad_secret_is_not_repeated(name: str, right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        WebSettings.read({name: "do-not-tell"})
    assert str(caught.value).startswith(f"{name} is '(not shown)': ") and right in str(caught.value)
    assert "do-not-tell" not in f"{caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("address", ["janitor.example.org", "ftp://janitor.example.org", "https://me@lab.example/x"])
def test_an_address_with_a_path_or_without_a_scheme_is_refused(address: str) -> None:
    with pytest.raises(BadSetting, match=f"WEB_URL is '{address}': give an address without a path"):
        WebSettings.read({"WEB_URL": address})
    assert WebSettings.read({"WEB_URL": "https://janitor.example.org/"}).web_url == "https://janitor.example.org"
