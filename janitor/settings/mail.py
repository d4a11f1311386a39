"""The settings of mail: the server, the sender and the recipients."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from janitor.errors import BadSetting
from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Secret


def _addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = tuple(address.strip() for address in value.split(",") if address.strip())
    if not found or not all(re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address) for address in found):
        raise ValueError("give mail addresses such as anna@example.org, with commas between")
    return found


def _address(value: object) -> object:
    found = _addresses(value)
    if isinstance(found, tuple) and len(found) != 1:
        raise ValueError("give one mail address")
    return found[0] if isinstance(found, tuple) else found


Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
Address = Annotated[str, BeforeValidator(_address)]


class MailSettings(SettingsGroup):
    """How letters go out, and to whom notices go."""

    mail_host: str | None = Field(None, min_length=1, description="the mail server's host name: notices go by email")
    mail_port: int = Field(587, ge=1, le=65535, description="the mail server's port (465 is usual with tls)")
    mail_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the mail server is spoken to: starttls, tls or none"
    )
    mail_ca_file: Path | None = Field(
        None, description="the CA that signed the mail server's certificate: a PEM file; the system's CAs without it"
    )
    mail_username: str | None = Field(None, min_length=1, description="the mail server's user, if it asks for a user")
    mail_password: Secret | None = Field(None, description="that user's password")
    mail_from: Address | None = Field(None, description="who the mails are from: an address")
    mail_to: Addresses | None = Field(None, description="who gets the mails: addresses with commas between")
    mail_redirect_to: Addresses | None = Field(
        None, description="who gets them instead, in a test deployment; the mail says who would have: addresses"
    )

    def check_mail(self) -> None:
        """Refuse settings with which no mail can be sent.

        Raises:
            BadSetting: the mail server is given, but no sender or no recipient; or its password would go in the clear.
        """
        if self.mail_host is None:
            return
        if self.mail_from is None:
            raise BadSetting("MAIL_FROM", None, "MAIL_HOST is set; give the address that mails are from")
        if self.mail_to is None:
            raise BadSetting("MAIL_TO", None, "MAIL_HOST is set; give the addresses that mails go to")
        if (self.mail_username is None) != (self.mail_password is None):
            name = "MAIL_USERNAME" if self.mail_username is None else "MAIL_PASSWORD"
            raise BadSetting(name, None, "give both MAIL_USERNAME and MAIL_PASSWORD, or neither")
        if self.mail_password is not None and self.mail_tls == "none":
            raise BadSetting("MAIL_TLS", "none", "give starttls or tls: the password would go in the clear")
