"""The front door: which jobs there are, and that every setting is written down where people look."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import run
from janitor.errors import BadSetting
from janitor.jobs.variables import variable
from janitor.needs import DatabaseNeed, ExchangeNeed, ServiceNeed
from janitor.settings import Settings
from tests.command_line import ROOT

PATHS = {"RABBITMQ_CA_FILE", "HEARTBEAT_FILE", "MAIL_CA_FILE", "JOBS_FILE"}


def load(**environ: str) -> Settings:
    """The settings as the command line reads them, from `environ` alone."""
    return Settings.load(environ, dotenv=None, of_tasks=run.SETTINGS_OF_TASKS)


def example() -> dict[str, str]:
    """The variables of .env.example, each with its value, which is commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#([A-Z][A-Z_]*)=(.*)$", text, re.MULTILINE))


def job_variables() -> dict[str, str]:
    jobs = run.build(load()).jobs.values()
    switches = {f"{variable(job.id)}_ENABLED": "true" for job in jobs}
    return switches | {f"{variable(job.id)}_SCHEDULE": job.schedule for job in jobs}


def test_the_jobs_are_those_of_the_lab() -> None:
    jobs = run.build(load()).jobs
    assert {name: (job.schedule, job.timeout) for name, job in jobs.items()} == {
        "labware_location": ("every 5m", 3600),
        "labware_location_reconcile": ("cron 0 1 * * *", 21600),
        "sequencing_publisher": ("every 10m", 3600),
        "sequencing_publisher_reconcile": ("every 1h", 3600),
    }
    assert all(job.enabled for job in jobs.values())


@pytest.mark.parametrize("word", ["false", "0", "no", "off"])
def test_one_switch_turns_both_publisher_jobs_off(word: str) -> None:
    jobs = run.build(load(SEQUENCING_RUN_CHANGES_JOB_ENABLED=word)).jobs
    off = {name: job.disabled_because for name, job in jobs.items() if not job.enabled}
    reason = "SEQUENCING_RUN_CHANGES_JOB_ENABLED=false"
    assert off == {"sequencing_publisher": reason, "sequencing_publisher_reconcile": reason}


def test_each_job_has_a_switch_and_a_schedule_of_its_own() -> None:
    environment = {"SEQUENCING_PUBLISHER_ENABLED": "false", "LABWARE_LOCATION_SCHEDULE": "cron */7 * * * *"}
    jobs = run.build(load(**environment)).jobs
    assert [name for name, job in jobs.items() if not job.enabled] == ["sequencing_publisher"]
    assert jobs["labware_location"].schedule == "cron */7 * * * *"
    with pytest.raises(BadSetting, match="LABWARE_LOCATION_SCHEDULE is 'often'"):
        run.build(load(LABWARE_LOCATION_SCHEDULE="often"))


def test_needs_name_settings_that_exist() -> None:
    known = load().known
    for job in run.build(load()).jobs.values():
        assert job.needs
        for need in job.needs:
            assert not isinstance(need, ServiceNeed) and need.setting in known
            if isinstance(need, DatabaseNeed):
                assert set(need.deletes.values()) <= known.keys()
            if isinstance(need, ExchangeNeed):
                assert need.schema is not None


def test_the_example_names_every_variable_once() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^#([A-Z][A-Z_]*)=", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert set(names) == set(load().known) | set(job_variables())


def test_the_example_tells_the_defaults_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in example().items()))
    filled = Settings.load({}, tmp_path / ".env", run.SETTINGS_OF_TASKS)
    assert {name: filled.value(name) for name in filled.known} == {name: load().value(name) for name in load().known}
    assert {name: example()[name] for name in job_variables()} == job_variables()
    given = {name: value for name, value in example().items() if value and name not in job_variables()}
    defaults = {name: field.default for name, field in load().known.items()}
    assert set(given) == {name for name, default in defaults.items() if default is not None}


def test_the_example_describes_each_setting() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, field in load().known.items():
        value = example()[name]
        said = f"(default {value})" if value else "(no default)"
        assert f"\n# {field.description} {said}\n#{name}=" in text


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sqlite:////srv/from_file.db\n")
    settings = load(MLWH_DATABASE_URL_FILE=str(tmp_path / "secret"))
    assert str(settings.needed("MLWH_DATABASE_URL")) == "sqlite:////srv/from_file.db"
    assert PATHS == {name for name in example() if name.endswith("_FILE")}


def test_run_py_works_from_any_folder(tmp_path: Path) -> None:
    command: list[Any] = [sys.executable, ROOT / "run.py", "--version"]
    environment = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout == f"janitor {(ROOT / '.release-version').read_text().strip()}\n"
