"""Environment variables of jobs: their names, true and false, and names that stand for no job."""

import pytest

from janitor.errors import BadSetting
from janitor.jobs.variables import check_variable, is_true, unknown_variables, variable


def test_the_names_of_a_job_s_variables_begin_with_its_id() -> None:
    assert [variable(job) for job in ("nightly-report", "a.b--c", "Sync2")] == ["NIGHTLY_REPORT", "A_B_C", "SYNC2"]


@pytest.mark.parametrize(
    ("text", "read"),
    [("true", True), (" Yes ", True), ("1", True), ("ON", True)]
    + [("false", False), ("no", False), ("0", False), ("Off", False)],
)
def test_true_and_false_have_four_words_each(text: str, read: bool) -> None:
    assert is_true("SYNC_ENABLED", text) is read


@pytest.mark.parametrize("text", ["", "perhaps", "2", "true false"])
def test_other_words_are_neither_true_nor_false(text: str) -> None:
    with pytest.raises(BadSetting, match=f"^SYNC_ENABLED is '{text}': give true or false$"):
        is_true("SYNC_ENABLED", text)


def test_a_variable_that_names_no_job_is_told() -> None:
    environ = ["SNYC_ENABLED", "SYNC_ENABLED", "LAB_SCHEDULE", "PATH", "COPY_NOTICE_RULES", "COPY_PING_URL", "_ENABLED"]
    assert unknown_variables(environ, ["sync", "nightly-report"], ["LAB_SCHEDULE"]) == {
        "COPY_NOTICE_RULES": "COPY_NOTICE_RULES is set, and there is no job copy; the jobs are sync, nightly-report",
        "COPY_PING_URL": "COPY_PING_URL is set, and there is no job copy; the jobs are sync, nightly-report",
        "SNYC_ENABLED": "SNYC_ENABLED is set, and there is no job snyc; the jobs are sync, nightly-report",
    }


def test_two_jobs_do_not_share_their_variables() -> None:
    check_variable("nightly-report", ["nightly-report", "sync"])
    with pytest.raises(BadSetting, match="^id is 'nightly_report': .* would be those of job nightly-report$"):
        check_variable("nightly_report", ["sync", "nightly-report"])


SETTINGS = ["LOG_LEVEL", "LOG_FORMAT", "RABBITMQ_HOST", "RABBITMQ_PORT", "WEB_ENABLED", "MAIL_TO", "MLWH_DATABASE_URL"]
SETTINGS += ["LABWHERE_DATABASE_URL"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LOG_LEVL", "LOG_LEVEL"),
        ("log_level", "LOG_LEVEL"),
        ("LOG_LEVEL_FIEL", "LOG_LEVEL_FILE"),
        ("RABITMQ_PORT", "RABBITMQ_PORT"),
        ("WEB_ENABELD", "WEB_ENABLED"),
        ("LABWHER_DATABASE_URL", "LABWHERE_DATABASE_URL"),
    ],
)
def test_a_name_near_a_setting_s_is_told(name: str, meant: str) -> None:
    said = f"{name} is set, and there is no such setting; did you mean {meant}?"
    assert unknown_variables([name, *SETTINGS], ["sync"], SETTINGS) == {name: said}


@pytest.mark.parametrize("name", ["SYNC_SCHEDUL", "SYNC_ENABELD"])
def test_a_name_near_a_job_s_variable_is_told(name: str) -> None:
    meant = "SYNC_SCHEDULE" if "SCHEDUL" in name else "SYNC_ENABLED"
    said = f"{name} is set, and it is no variable of a job; did you mean {meant}?"
    assert unknown_variables([name], ["sync"], SETTINGS) == {name: said}


def test_names_of_other_programs_are_not_taken_for_settings() -> None:
    others = (
        "MAIL MAILTO LOGNAME PATH RABBITMQ_SERVICE_HOST RABBITMQ_PORT_5672_TCP RABBITMQ_HOME HOSTNAME LC_ALL".split()
    )
    others += ["MLWH_TEST_DATABASE_URL", "LAB_DATABASE_URL", "RABBITMQ_HOST_FILE", "SYNC_SCHEDULE_FILE"]
    assert unknown_variables(others, ["sync"], SETTINGS) == {}


@pytest.mark.parametrize("job", ["web", "mail", "log", "Log", "rabbitmq"])
def test_a_job_does_not_share_its_variables_with_settings(job: str) -> None:
    with pytest.raises(BadSetting, match=f"^id is '{job}': give another id: its variables would begin as the setting "):
        check_variable(job, [], SETTINGS, SETTINGS)
    check_variable("mail_report", [], SETTINGS, SETTINGS)


def test_a_job_may_have_its_task_s_settings_but_not_its_switches() -> None:
    check_variable("sync", [], ["SYNC_GROUP_SIZE"])
    with pytest.raises(BadSetting, match="as the setting SYNC_ENABLED does"):
        check_variable("sync", [], ["SYNC_ENABLED"])
