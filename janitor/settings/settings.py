"""One frozen object, read once from the environment and `.env`; a bad value stops the start, by name."""

import inspect
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pymysql
from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from janitor.errors import BadSetting
from janitor.settings import accounts
from janitor.settings.notices import NoticeSettings

URL_HELP = "give a URL such as mysql+pymysql://user:password@host:3306/name or sqlite:///path/to/file.db"


def _database_url(value: object) -> URL:
    """Refuse what SQLAlchemy cannot connect with; the value itself may hold a password, so it is never repeated."""
    try:
        url = value if isinstance(value, URL) else make_url(str(value))
        driver = url.get_dialect().driver
    except NoSuchModuleError as exc:
        raise ValueError(f"its driver is unknown; {URL_HELP}") from exc
    except ArgumentError as exc:
        raise ValueError(f"it is not a database URL; {URL_HELP}") from exc
    except ValueError as exc:
        raise ValueError(f"its host or port cannot be read; {URL_HELP}") from exc
    if driver not in ("pymysql", "pysqlite"):
        raise ValueError(f"the driver {url.drivername!r} is not one of mysql+pymysql and sqlite; {URL_HELP}")
    if url.database in (None, "", ":memory:") or (driver == "pymysql" and not url.host):
        raise ValueError(f"it names no {'file' if driver == 'pysqlite' else 'host or no database'}; {URL_HELP}")
    _check_options(url)
    return url


def _check_options(url: URL) -> None:
    """Refuse options of the driver that it does not know: it would only say so when it connects."""
    dialect = url.get_dialect()()
    try:
        _, options = dialect.create_connect_args(url)
    except (ValueError, TypeError, ArgumentError) as exc:
        raise ValueError(f"an option after its '?' is malformed; {URL_HELP}") from exc
    known = inspect.signature(pymysql.connections.Connection).parameters
    unknown = sorted(set(options) - set(known)) if dialect.driver == "pymysql" else []
    if unknown:
        raise ValueError(f"the driver has no option {', '.join(unknown)}; {URL_HELP}")


def _zone(value: object) -> ZoneInfo:
    try:
        return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("give a zone of the tz database such as UTC or Europe/London") from exc


def _day(value: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as exc:
        raise ValueError("give a day as YYYY-MM-DD, such as 2023-08-21") from exc


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (len(text) >= 16 and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("give at least 16 printable ASCII characters without blanks")
    return value


def _users(value: SecretStr) -> SecretStr:
    accounts.read(value.get_secret_value())
    return value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        right = False
    if not right or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("give an address without a path, such as https://janitor.example.org")
    return value.rstrip("/")


DatabaseUrl = Annotated[URL, BeforeValidator(_database_url)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Day = Annotated[date, BeforeValidator(_day)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Users = Annotated[SecretStr, AfterValidator(_users)]
Address = Annotated[str, AfterValidator(_address)]


class Settings(NoticeSettings):
    """Every setting, by its environment variable's name in lower case; the descriptions are those of `.env.example`."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, hide_input_in_errors=True)

    labwhere_database_url: DatabaseUrl | None = Field(None, description="LabWhere, read only: a database URL")
    mlwh_database_url: DatabaseUrl | None = Field(None, description="MLWH: a database URL")
    mlwh_events_database_url: DatabaseUrl | None = Field(None, description="MLWH Events, read only: a database URL")
    mlwh_timezone: Zone = Field(ZoneInfo("UTC"), description="the zone of the dates in iseq_run_status: a tz name")
    statement_timeout_seconds: float = Field(
        60, allow_inf_nan=False, gt=0, description="how long one statement may take on a warehouse: seconds"
    )
    connect_timeout_seconds: float = Field(
        10, allow_inf_nan=False, gt=0, description="how long connecting to a database or broker may take: seconds"
    )

    state_database_url: DatabaseUrl = Field(
        make_url("sqlite:///var/janitor.db"), description="Janitor's own memory: a database URL (SQLite or MySQL)"
    )
    history_days: int = Field(365, ge=1, description="how long a run is kept in the history: days")
    history_runs: int = Field(10_000, ge=1, description="how many runs of each job are kept in the history: runs")
    lease_seconds: float = Field(
        30,
        allow_inf_nan=False,
        ge=1,
        le=60,
        description="after how long without a sign of life a stand-by takes over: seconds, 1 to 60",
    )
    grace_seconds: float = Field(
        25, allow_inf_nan=False, ge=0, description="how long running tasks may take to stop after SIGTERM: seconds"
    )
    heartbeat_file: Path = Field(
        Path("var/heartbeat"), description="touched by the clock at least every 5 s; `health` looks at its age: a path"
    )
    schedule_timezone: Zone = Field(ZoneInfo("UTC"), description="the zone of cron schedules: a tz name")

    jobs_file: Path | None = Field(None, description="jobs described in YAML, besides those of run.py: a path")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the least level that is logged: DEBUG, INFO, WARNING or ERROR"
    )
    log_debug_days: int = Field(15, ge=1, description="how long lines of level debug are kept with their runs: days")
    log_info_days: int = Field(30, ge=1, description="the same for level info: days")
    log_warning_days: int = Field(90, ge=1, description="the same for level warning: days")
    log_error_days: int = Field(180, ge=1, description="the same for levels error and critical: days")
    traceback_locals: bool = Field(False, description="show local variables in tracebacks: true or false")
    log_format: Literal["text", "json"] = Field("text", description="one line per fact: text or json")

    sentry_dsn: SecretStr | None = Field(
        None, description="report failed runs to this project of Sentry: its DSN; needs the package sentry-sdk"
    )
    sentry_environment: str = Field("production", min_length=1, description="the environment that Sentry is told")

    web_enabled: bool = Field(True, description="serve the dashboard, metrics and health: true or false")
    web_host: str = Field(
        "127.0.0.1", min_length=1, description="where the dashboard listens: an address of this machine, or 0.0.0.0"
    )
    web_port: int = Field(8080, ge=0, le=65535, description="the dashboard's port; 0 takes any that is free")
    web_url: Address | None = Field(
        None, description="the address by which people reach the dashboard, where it differs"
    )
    web_users: Users | None = Field(
        None, description="who may sign in: name:role:hash ..., the role viewer or operator, the hash from `password`"
    )
    web_operator_token: Token | None = Field(
        None, description="with this bearer token a program may change things: at least 16 characters"
    )
    web_viewer_token: Token | None = Field(
        None, description="with this bearer token a program may look: at least 16 characters"
    )

    rabbitmq_host: str | None = Field(None, min_length=1, description="the broker's host name")
    rabbitmq_port: int = Field(5672, ge=1, le=65535, description="the broker's port (5671 is usual with TLS)")
    rabbitmq_vhost: str = Field("/", min_length=1, description="the broker's virtual host")
    rabbitmq_username: str = Field("guest", min_length=1, description="the broker's user")
    rabbitmq_password: SecretStr = Field(SecretStr("guest"), description="that user's password")
    rabbitmq_tls: bool = Field(False, description="connect with TLS: true or false")
    rabbitmq_ca_file: Path | None = Field(
        None, description="the CA that signed the broker's certificate: a PEM file; the system's CAs without it"
    )
    messages_dir: Path | None = Field(
        None, description="instead of a broker: a folder that receives Avro object container files"
    )

    labware_location_delete_orphans: bool = Field(
        False, description="let reconcile delete rows of labware that no longer exists: true or false"
    )
    load_limit_threads_running: int | None = Field(
        None, ge=1, description="reconcile pauses while a server runs more threads than this: threads; off when empty"
    )

    sequencing_run_changes_job_enabled: bool = Field(
        True, description="false turns both sequencing_publisher jobs off: true or false"
    )
    sequencing_publisher_since: Day | None = Field(
        None, description="publish statuses set on or after this day: YYYY-MM-DD; only new ones when empty"
    )
    sequencing_publisher_encoding: Literal["binary", "json"] = Field(
        "binary", description="one Avro message per row (binary), or Avro JSON lines (json)"
    )
    sequencing_publisher_group_size: int = Field(
        100, ge=1, le=10_000, description="rows confirmed together, and rows a message with json: rows"
    )
    sequencing_publisher_exchange: str = Field(
        "sequencing_run_status", min_length=1, description="the durable fanout exchange that is published to"
    )
    sequencing_publisher_unroutable: Literal["fail", "drop"] = Field(
        "fail", description="what to do where no queue is bound: fail the run, or drop the message"
    )

    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def environ(self) -> Mapping[str, str]:
        """Every variable that was read, for what is named at run time: `<JOB>_ENABLED` and `<JOB>_SCHEDULE`."""
        return self._environ

    def needed(self, name: str) -> URL:
        """The database URL in the variable `name`.

        Raises:
            BadSetting: it is missing.
        """
        url: URL | None = getattr(self, name.lower())
        if url is None:
            raise BadSetting(name, None, URL_HELP)
        return url

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: str | Path | None = ".env") -> "Settings":
        """Read the settings from `environ` (`os.environ` when None) over the file `dotenv`, where there is one.

        An empty value counts as absent. `<NAME>_FILE` is the path of a file that holds the value of `<NAME>`.

        Raises:
            BadSetting: a value is malformed; the error names the variable and says what would be right.
        """
        variables = _variables(os.environ if environ is None else environ, dotenv)
        given = {name: variables[name.upper()] for name in cls.model_fields if name.upper() in variables}
        try:
            settings = cls.model_validate(given)
        except ValidationError as exc:
            raise _bad_setting(exc, given) from exc
        settings._environ = variables
        return settings


def _variables(environ: Mapping[str, str], dotenv: str | Path | None) -> dict[str, str]:
    from_file = _from_file(dotenv) if dotenv is not None and Path(dotenv).is_file() else {}
    merged = {**{name: value or "" for name, value in from_file.items()}, **environ}
    variables = {name: value for name, value in merged.items() if value.strip()}
    for name, path in list(variables.items()):
        if name.endswith("_FILE") and name not in _OWN_FILES:
            target = name.removesuffix("_FILE")
            if target.lower() in Settings.model_fields or target.endswith(("_ENABLED", "_SCHEDULE", "_PING_URL")):
                variables[target] = _content(name, path, target, variables)
    return variables


def _from_file(path: str | Path) -> dict[str, str | None]:
    try:
        return dotenv_values(path)
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSetting("the file", path, f"give one that can be read as UTF-8 ({exc.__class__.__name__})") from exc


_OWN_FILES = frozenset({"RABBITMQ_CA_FILE", "HEARTBEAT_FILE", "MAIL_CA_FILE", "JOBS_FILE"})


def _content(name: str, path: str, target: str, variables: Mapping[str, str]) -> str:
    if target in variables:
        raise BadSetting(name, path, f"{target} is given too; give one of the two")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.__class__.__name__
        raise BadSetting(name, path, f"give a file that can be read and holds {target} ({reason})") from exc
    if not text:
        raise BadSetting(name, path, f"give a file that holds {target}: this one is empty")
    return text


def _bad_setting(exc: ValidationError, given: Mapping[str, str]) -> BadSetting:
    """The first mistake as one sentence; values that may hold a secret are not repeated."""
    error = exc.errors(include_url=False, include_context=False)[0]
    field = str(error["loc"][0])
    annotation = str(Settings.model_fields[field].annotation)
    shown: Any = "(not shown)" if "URL" in annotation or "Secret" in annotation else given.get(field)
    expected = error["msg"].removeprefix("Value error, ")
    return BadSetting(field.upper(), shown, expected[0].lower() + expected[1:])
