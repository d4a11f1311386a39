"""Settings: those of the house and those of a task, in their types; none shows a secret."""

import pickle
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from janitor.errors import BadSetting
from janitor.settings import Settings, SettingsGroup
from tests.settings.lab import QUOTED, SECRET, LabSettings, load, refused


def test_values_arrive_in_their_types() -> None:
    settings = load(
        STATE_DATABASE_URL=f"mysql+pymysql://me:{QUOTED}@db:3307/state",
        SCHEDULE_TIMEZONE="Europe/London",
        STATEMENT_TIMEOUT_SECONDS="2.5",
        HISTORY_RUNS="17",
        RABBITMQ_TLS="true",
        MESSAGES_DIR="/messages",
    )
    assert settings.state_database_url.password == SECRET
    assert settings.schedule_timezone == ZoneInfo("Europe/London")
    assert (settings.statement_timeout_seconds, settings.history_runs) == (2.5, 17)
    assert settings.rabbitmq_tls is True and settings.messages_dir == Path("/messages")


def test_a_task_finds_its_own_settings() -> None:
    url = f"mysql+pymysql://me:{QUOTED}@db:3307/lab"
    given = {"LAB_DATABASE_URL": url, "LAB_TIMEZONE": "Europe/London", "LAB_SINCE": "2023-08-21", "LAB_PASS": "open"}
    settings = load(**given)
    lab = settings.of(LabSettings)
    assert lab.lab_database_url is not None and lab.lab_database_url.password == SECRET
    assert (lab.lab_timezone, lab.lab_since) == (ZoneInfo("Europe/London"), date(2023, 8, 21))
    assert (lab.lab_encoding, lab.lab_group_size) == ("binary", 100)
    assert settings.value("LAB_SINCE") == date(2023, 8, 21) and settings.value("HISTORY_DAYS") == 365
    assert {"LAB_SINCE", "LAB_PASS", "HISTORY_DAYS"} <= settings.known.keys()
    assert "open" in settings.secrets() and SECRET in settings.secrets()


def test_a_group_that_load_did_not_get_is_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "size").write_text("7\n", encoding="utf-8")
    settings = Settings.load({"LAB_SINCE": "2023-08-21", "LAB_GROUP_SIZE_FILE": str(tmp_path / "size")}, dotenv=None)
    lab = settings.of(LabSettings)
    assert (lab.lab_since, lab.lab_group_size) == (date(2023, 8, 21), 7)
    with pytest.raises(BadSetting, match="the setting is 'LAB_SINCE': no group of settings declares it"):
        settings.value("LAB_SINCE")
    with pytest.raises(BadSetting, match="LAB_GROUP_SIZE is 'many'"):
        Settings.load({"LAB_GROUP_SIZE": "many"}, dotenv=None).of(LabSettings)


def test_any_variable_may_hold_a_database_url(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"mysql+pymysql://me:{QUOTED}@db/other\n", encoding="utf-8")
    settings = Settings.load({"OTHER_DATABASE_URL_FILE": str(tmp_path / "url"), "BAD_DATABASE_URL": SECRET}, None)
    assert settings.needed("OTHER_DATABASE_URL").password == SECRET and SECRET in settings.secrets()
    assert getattr(settings, "other_database_url") == settings.database("OTHER_DATABASE_URL")
    assert settings.database("NO_DATABASE_URL") is None and getattr(settings, "no_database_url") is None
    with pytest.raises(BadSetting, match="NO_DATABASE_URL is missing: give a URL such as"):
        settings.needed("NO_DATABASE_URL")
    with pytest.raises(BadSetting, match="BAD_DATABASE_URL is '.not shown.': it is not a database URL"):
        settings.needed("BAD_DATABASE_URL")
    with pytest.raises(AttributeError):
        getattr(settings, "history_dayz")


def test_nothing_given_is_enough_for_the_engine() -> None:
    settings = load()
    assert settings.state_database_url.database == str(Path("var/janitor.db").absolute())
    assert settings.rabbitmq_host is None and settings.of(LabSettings).lab_database_url is None


def test_secrets_are_in_no_repr() -> None:
    url = f"mysql+pymysql://me:{QUOTED}@db/mlwh"
    settings = load(LAB_DATABASE_URL=url, STATE_DATABASE_URL=url, RABBITMQ_PASSWORD=SECRET, LAB_PASS=SECRET)
    lab = settings.of(LabSettings)
    for text in (repr(settings), str(settings), repr(dict(settings)), repr(lab), repr(dict(lab))):
        assert SECRET not in text and QUOTED not in text


def test_settings_are_frozen_and_go_to_a_child() -> None:
    settings = load(HISTORY_DAYS="5", NIGHTLY_SCHEDULE="every 5m", LAB_GROUP_SIZE="6")
    with pytest.raises(ValidationError):
        settings.history_days = 6
    there = pickle.loads(pickle.dumps(settings))
    assert there.history_days == 5 and there.of(LabSettings).lab_group_size == 6
    assert there.environ["NIGHTLY_SCHEDULE"] == "every 5m"


def test_no_path_changes_when_a_task_changes_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: settings with relative paths of every kind. What happens: the process changes folders, as a task may.
    # What must hold: each path is still in the folder where the settings were read, also if it is asked for later.
    class Own(SettingsGroup):
        own_folder: Path = Path("out")
        own_ca: Path | None = None
        own_files: tuple[Path, ...] = (Path("a"), Path("b"))

    (tmp_path / "word").write_text("sqlite:///late.db", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    given = {"MESSAGES_DIR": "messages", "RABBITMQ_CA_FILE": "ca.pem", "OWN_CA": "../own.pem"}
    given |= {"LAB_DATABASE_URL": "sqlite:///lab.db", "OTHER_DATABASE_URL": "sqlite:///other.db"}
    given |= {"TLS_DATABASE_URL": "mysql+pymysql://u@db/x?ssl_ca=ca.pem&ssl_cipher=x", "LATE_DATABASE_URL_FILE": "word"}
    settings = load(**given)
    monkeypatch.chdir("/")
    assert settings.state_database_url.database == f"{tmp_path}/var/janitor.db"
    assert settings.heartbeat_file == tmp_path / "var/heartbeat"
    assert (settings.messages_dir, settings.rabbitmq_ca_file) == (tmp_path / "messages", tmp_path / "ca.pem")
    for name, file in (("LAB", "lab"), ("OTHER", "other"), ("LATE", "late")):
        assert settings.needed(f"{name}_DATABASE_URL").database == f"{tmp_path}/{file}.db"
    assert settings.needed("TLS_DATABASE_URL").query == {"ssl_ca": f"{tmp_path}/ca.pem", "ssl_cipher": "x"}
    own = settings.of(Own)
    assert (own.own_folder, own.own_ca) == (tmp_path / "out", tmp_path / "../own.pem")
    assert own.own_files == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOG_LEVEL", '"INFO"', "LOG_LEVEL is '\"INFO\"': leave its quotes out"),
        ("RABBITMQ_TLS", "'true'", "leave its quotes out"),
        ("RABBITMQ_PASSWORD", f'"{SECRET}"', "RABBITMQ_PASSWORD is '(not shown)': leave its quotes out"),
        ("LAB_DATABASE_URL", f'"mysql+pymysql://me:{QUOTED}@db/x"', "LAB_DATABASE_URL is '(not shown)': leave its"),
        ("LAB_GROUP_SIZE", '"7"', "leave its quotes out"),
    ],
)
def test_quotes_around_a_value_are_told(name: str, value: str, said: str) -> None:
    text = refused(**{name: value})
    assert said in text and "docker run --env-file" in text and SECRET not in text and QUOTED not in text


def test_quotes_around_a_variable_made_at_run_time_are_told_when_it_is_asked_for() -> None:
    settings = load(NIGHTLY_ENABLED='"true"', OTHER_DATABASE_URL="'sqlite:///x.db'", STRANGER='"x"')
    for name in ("NIGHTLY_ENABLED", "OTHER_DATABASE_URL"):
        with pytest.raises(BadSetting, match=f"^{name} is '.not shown.': leave its quotes out"):
            settings.given(name) if name.endswith("ENABLED") else settings.needed(name)


def test_a_port_that_kubernetes_sets_is_told() -> None:
    for name in ("RABBITMQ_PORT", "MAIL_PORT"):
        text = refused(**{name: "tcp://10.0.0.1:5672"})
        assert (
            text.startswith(f"{name} is 'tcp://10.0.0.1:5672': Kubernetes sets this") and "enableServiceLinks" in text
        )
    assert "give a whole number" in refused(RABBITMQ_PORT="amqp")


def test_words_are_taken_in_any_letters_and_blanks_around_a_value_go() -> None:
    settings = load(
        LOG_LEVEL="info", LOG_FORMAT=" JSON ", MAIL_TLS="StartTLS", RABBITMQ_TLS=" true\r\n", LAB_ENCODING="Json"
    )
    assert (settings.log_level, settings.log_format, settings.mail_tls) == ("INFO", "json", "starttls")
    assert settings.rabbitmq_tls is True and settings.of(LabSettings).lab_encoding == "json"
    assert refused(LOG_LEVEL="loud") == "LOG_LEVEL is 'loud': give DEBUG, INFO, WARNING or ERROR"
