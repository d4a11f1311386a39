"""The settings of notices: which rules hold for a job, and the channels by which they are told."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from janitor.errors import BadSetting
from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Secret
from janitor.settings.secrets import SECRET

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
    "step_fails",
    "items_wait",
    "dead_letters_growing",
    "reply_undelivered",
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


def address(value: str) -> str:
    """A web address as it was given.

    Raises:
        ValueError: it is none; the error says what would be right.
    """
    try:
        parts = urlsplit(value)
        given = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        # A password with an @ after a slash: half of it would be taken for the host.
        given = given and not (parts.username and "@" in value.partition(parts.netloc)[2])
    except ValueError:
        given = None
    if not given:
        raise ValueError("give a URL such as https://host/path")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    address(value.get_secret_value())
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url), SECRET]


class NoticeRules(SettingsGroup):
    """What is told of a job; a variable with `<JOB>_` before its name holds for that job alone."""

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
    notice_dead_letters: int = Field(
        1, ge=1, le=1000, description="dead_letters_growing: so many that came within a day are still there: messages"
    )


class NoticeSettings(NoticeRules):
    """The rules for every job without rules of its own, and the channels other than mail."""

    notice_check_seconds: float = Field(
        10, allow_inf_nan=False, ge=0.05, le=600, description="how often the rules are looked at: seconds"
    )
    slack_url: SecretUrl | None = Field(None, description="a Slack incoming webhook: a URL")
    teams_url: SecretUrl | None = Field(None, description="a Teams workflow's webhook: a URL")
    pagerduty_key: Secret | None = Field(None, description="the integration key of a PagerDuty service (Events v2)")
    pagerduty_url: Annotated[str, AfterValidator(address)] = Field(
        "https://events.pagerduty.com/v2/enqueue", description="where PagerDuty takes events: a URL"
    )
    webhook_url: SecretUrl | None = Field(None, description="any other webhook, which gets plain JSON: a URL")
    ping_url: SecretUrl | None = Field(
        None, description="a dead-man's ping of each job: a URL; {job} in it becomes the job's id"
    )
    sentry_dsn: Secret | None = Field(
        None, description="report failed runs to this project of Sentry: its DSN; needs the package sentry-sdk"
    )
    sentry_environment: str = Field("production", min_length=1, description="the environment that Sentry is told")


def rules_of(settings: NoticeRules, environ: Mapping[str, str], prefix: str) -> NoticeRules:
    """The rules of the job whose variables begin with `prefix`; a rule without such a variable is that of `settings`.

    Raises:
        BadSetting: one of the job's variables is malformed, or names no rule's setting.
    """
    known = NoticeRules.variables()
    own: dict[str, str] = {}
    for variable, value in environ.items():
        if variable.startswith(f"{prefix}_NOTICE_"):
            name = variable.removeprefix(f"{prefix}_")
            if name not in known:
                expected = f"there is no such setting; a job's are {prefix}_ and one of {', '.join(known)}"
                raise BadSetting(variable, value, expected)
            own[name] = value
    if not own:
        return settings
    return NoticeRules.read({name: getattr(settings, name.lower()) for name in known} | own, f"{prefix}_")


def ping_url_of(settings: NoticeSettings, environ: Mapping[str, str], prefix: str, job: str) -> str | None:
    """The URL that tells an outside watcher of a job's runs; None if no URL is set.

    Raises:
        BadSetting: the job's variable is malformed; the value is not repeated.
    """
    own = environ.get(f"{prefix}_PING_URL")
    if own is None:
        return None if settings.ping_url is None else settings.ping_url.get_secret_value().replace("{job}", job)
    try:
        return _secret_url(SecretStr(own)).get_secret_value().replace("{job}", job)
    except ValueError as exc:
        raise BadSetting(f"{prefix}_PING_URL", "(not shown)", str(exc)) from exc
