"""The settings of notices: which rules hold for a job, and the channels by which they are told."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from janitor.errors import BadSetting

RULES = (
    "failed",
    "recovered",
    "missed",
    "interrupted",
    "overdue",
    "started_late",
    "ran_long",
    "suspiciously_empty",
    "quarantine_growing",
)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION_HELP = "give a number with s, m, h or d, such as 30s, 5m, 2h or 1d"


def _rules(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = tuple(dict.fromkeys(re.findall(r"[^\s,]+", value.lower())))
    if words in (("all",), ("none",)):
        return RULES if words == ("all",) else ()
    unknown = [word for word in words if word not in RULES]
    if unknown:
        raise ValueError(f"there is no rule {unknown[0]}; give some of {', '.join(RULES)}, or all, or none")
    return words


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip().lower())
    try:
        found = timedelta(**{UNITS[match[2]]: float(match[1])}) if match else timedelta()
    except OverflowError:
        found = timedelta()
    if not found:
        raise ValueError(DURATION_HELP)
    return found


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        given = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        given = None
    if not given:
        raise ValueError("give a URL such as https://host/path")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    _url(value.get_secret_value())
    return value


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


Duration = Annotated[timedelta, BeforeValidator(_duration)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
Address = Annotated[str, BeforeValidator(_address)]


class NoticeRules(BaseModel):
    """What is told of a job; `<JOB>_` before a variable's name makes it one for that job alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    notice_rules: Annotated[tuple[str, ...], BeforeValidator(_rules)] = Field(
        tuple(rule for rule in RULES if rule != "suspiciously_empty"),
        description="what is told of a job: rules with blanks or commas between, or all, or none",
    )
    notice_repeat: Duration = Field(
        timedelta(hours=1), description="after how long what still holds is told again: 30s, 5m, 2h or 1d"
    )
    notice_failed_after: int = Field(1, ge=1, le=1000, description="failed: after so many failed runs in a row: runs")
    notice_late_seconds: float = Field(
        60, allow_inf_nan=False, gt=0, description="started_late: so long after its slot: seconds"
    )
    notice_long_seconds: float | None = Field(
        None, allow_inf_nan=False, gt=0, description="ran_long: over this, whatever the average is: seconds"
    )
    notice_long_times: float = Field(
        3, allow_inf_nan=False, gt=1, description="ran_long: over so many times the average of its last 20 successes"
    )
    notice_empty_after: int = Field(
        10, ge=2, le=100, description="suspiciously_empty: after so many successes in a row that were not: runs"
    )
    notice_quarantine_rows: int = Field(
        10, ge=1, description="quarantine_growing: so many rows that came within a day are still there: rows"
    )


class NoticeSettings(NoticeRules):
    """The rules for every job that has none of its own, and the channels."""

    notice_check_seconds: float = Field(
        10, allow_inf_nan=False, ge=0.05, le=600, description="how often the rules are looked at: seconds"
    )
    mail_host: str | None = Field(None, min_length=1, description="the mail server's host name: notices go by email")
    mail_port: int = Field(587, ge=1, le=65535, description="the mail server's port (465 is usual with tls)")
    mail_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the mail server is spoken to: starttls, tls or none"
    )
    mail_ca_file: Path | None = Field(
        None, description="the CA that signed the mail server's certificate: a PEM file; the system's CAs without it"
    )
    mail_username: str | None = Field(None, min_length=1, description="the mail server's user, where it wants one")
    mail_password: SecretStr | None = Field(None, description="that user's password")
    mail_from: Address | None = Field(None, description="who the mails are from: an address")
    mail_to: Addresses | None = Field(None, description="who gets the mails: addresses with commas between")
    mail_redirect_to: Addresses | None = Field(
        None, description="who gets them instead, in a test deployment; the mail says who would have: addresses"
    )
    slack_url: SecretUrl | None = Field(None, description="a Slack incoming webhook: a URL")
    teams_url: SecretUrl | None = Field(None, description="a Teams workflow's webhook: a URL")
    pagerduty_key: SecretStr | None = Field(None, description="the integration key of a PagerDuty service (Events v2)")
    pagerduty_url: Annotated[str, AfterValidator(_url)] = Field(
        "https://events.pagerduty.com/v2/enqueue", description="where PagerDuty takes events: a URL"
    )
    webhook_url: SecretUrl | None = Field(None, description="any other webhook, which gets plain JSON: a URL")
    ping_url: SecretUrl | None = Field(
        None, description="a dead-man's ping of each job: a URL; {job} in it becomes the job's id"
    )

    def check_channels(self) -> None:
        """Refuse what cannot be told by mail.

        Raises:
            BadSetting: the mail server has no sender, no recipient, or would get a password in the clear.
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


def rules_of(settings: NoticeRules, environ: Mapping[str, str], prefix: str) -> NoticeRules:
    """The rules of the job whose variables begin with `prefix`; those of every job where it has none of its own.

    Raises:
        BadSetting: one of its variables is malformed, or is none that there is.
    """
    fields = NoticeRules.model_fields
    given: dict[str, Any] = {}
    for name, value in environ.items():
        if name.startswith(f"{prefix}_NOTICE_"):
            field = name.removeprefix(f"{prefix}_").lower()
            if field not in fields:
                endings = ", ".join(known.upper() for known in fields)
                raise BadSetting(name, value, f"there is no such setting; a job's are {prefix}_ and one of {endings}")
            given[field] = value
    if not given:
        return settings
    try:
        return NoticeRules.model_validate({name: getattr(settings, name) for name in fields} | given)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_context=False)[0]
        expected = error["msg"].removeprefix("Value error, ")
        name = str(error["loc"][0])
        raise BadSetting(f"{prefix}_{name.upper()}", given.get(name), expected[0].lower() + expected[1:]) from exc


def ping_url_of(settings: NoticeSettings, environ: Mapping[str, str], prefix: str, job: str) -> str | None:
    """Where a job's runs are told to an outside watcher; None where nobody wants to know.

    Raises:
        BadSetting: its variable is malformed; the value is not repeated.
    """
    own = environ.get(f"{prefix}_PING_URL")
    if own is None:
        return None if settings.ping_url is None else settings.ping_url.get_secret_value().replace("{job}", job)
    try:
        return _secret_url(SecretStr(own)).get_secret_value().replace("{job}", job)
    except ValueError as exc:
        raise BadSetting(f"{prefix}_PING_URL", "(not shown)", str(exc)) from exc
