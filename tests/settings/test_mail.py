"""The settings of mail: addresses, and settings with which no mail can be sent."""

import pytest

from janitor.errors import BadSetting
from janitor.settings.mail import MailSettings

GIVEN = {"MAIL_HOST": "mail.example.org", "MAIL_FROM": "janitor@example.org", "MAIL_TO": "anna@example.org"}


def test_addresses_have_commas_between_them() -> None:
    read = MailSettings.read({"MAIL_TO": " anna@example.org,ben@example.org , ", "MAIL_FROM": "janitor@example.org"})
    assert read.mail_to == ("anna@example.org", "ben@example.org")
    assert read.mail_from == "janitor@example.org"


@pytest.mark.parametrize(
    "text", ["anna", "anna@example.org ben@example.org", "<anna@example.org>", "@example.org", ","]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="^MAIL_TO is .*: give mail addresses such as anna@example.org, with commas"):
        MailSettings.read({"MAIL_TO": text})


def test_mails_are_from_one_address() -> None:
    with pytest.raises(BadSetting, match="^MAIL_FROM is .*: give one mail address$"):
        MailSettings.read({"MAIL_FROM": "anna@example.org, ben@example.org"})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"MAIL_USERNAME": "anna", "MAIL_PASSWORD": "pw"},
        {"MAIL_USERNAME": "anna", "MAIL_PASSWORD": "pw", "MAIL_TLS": "tls"},
        {"MAIL_TLS": "none"},
    ],
)
def test_settings_with_which_mail_can_be_sent_pass(changes: dict[str, str]) -> None:
    MailSettings.read(GIVEN | changes).check_mail()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"MAIL_FROM": None}, "MAIL_FROM is missing: MAIL_HOST is set; give the address that mails are from"),
        ({"MAIL_TO": None}, "MAIL_TO is missing: MAIL_HOST is set; give the addresses that mails go to"),
        ({"MAIL_USERNAME": "anna"}, "MAIL_PASSWORD is missing: give both MAIL_USERNAME and MAIL_PASSWORD, or neither"),
        ({"MAIL_PASSWORD": "pw"}, "MAIL_USERNAME is missing: give both MAIL_USERNAME and MAIL_PASSWORD, or neither"),
        (
            {"MAIL_USERNAME": "anna", "MAIL_PASSWORD": "pw", "MAIL_TLS": "none"},
            "MAIL_TLS is 'none': give starttls or tls: the password would go in the clear",
        ),
    ],
)
def test_settings_with_which_no_mail_can_be_sent(changes: dict[str, str | None], says: str) -> None:
    given = {name: value for name, value in (GIVEN | changes).items() if value is not None}
    with pytest.raises(BadSetting) as caught:
        MailSettings.read(given).check_mail()
    assert str(caught.value) == says


def test_without_a_mail_server_nothing_else_is_needed() -> None:
    MailSettings.read({"MAIL_USERNAME": "anna"}).check_mail()
