"""One frozen object, read once from the environment and `.env`; a bad value stops the start, by name."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, ValidationError
from sqlalchemy import URL, make_url

from janitor.errors import BadSetting
from janitor.settings.kinds import URL_HELP, Address, DatabaseUrl, Day, Token, Users, Zone
from janitor.settings.notices import NoticeSettings
from janitor.settings.sources import variables_from


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
        variables = variables_from(
            os.environ if environ is None else environ, dotenv, {name.upper() for name in cls.model_fields}
        )
        given = {name: variables[name.upper()] for name in cls.model_fields if name.upper() in variables}
        try:
            settings = cls.model_validate(given)
        except ValidationError as exc:
            raise _bad_setting(exc, given) from exc
        settings._environ = variables
        return settings


def _bad_setting(exc: ValidationError, given: Mapping[str, str]) -> BadSetting:
    """The first mistake as one sentence; values that may hold a secret are not repeated."""
    error = exc.errors(include_url=False, include_context=False)[0]
    field = str(error["loc"][0])
    annotation = str(Settings.model_fields[field].annotation)
    shown: Any = "(not shown)" if "URL" in annotation or "Secret" in annotation else given.get(field)
    expected = error["msg"].removeprefix("Value error, ")
    return BadSetting(field.upper(), shown, expected[0].lower() + expected[1:])
