"""Each verb, as a process of its own: what it prints, its exit code, and what is on record afterwards."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from janitor.publisher import Schema, open_publisher
from janitor.settings import Settings
from tests.command_line import CommandLine, wait_for
from tests.fixtures import Exchange

SECRET = "s3cret/word%&"
LABWHERE = "mysql+pymysql://anna:s3cret%2Fword%25%26@127.0.0.1:1/labwhere"
PACKAGE, SCHEMA = "janitor.tasks.sequencing_publisher", "message_schemas/sample_sequence_status.avsc"


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line of the small house."""
    return CommandLine(tmp_path, ("-m", "tests.small_house"))


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of Janitor itself."""
    return CommandLine(tmp_path)


def recorded(house: CommandLine, query: str) -> list[Any]:
    """Rows of the state database, as another program reads them; none where there is no such database yet."""
    try:
        connection = sqlite3.connect(f"file:{house.folder / 'var' / 'janitor.db'}?mode=ro", uri=True)
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def is_running(house: CommandLine, job: str) -> bool:
    query = f"SELECT id FROM runs WHERE job = '{job}' AND outcome IS NULL AND progress IS NOT NULL"
    return bool(recorded(house, query))


# jobs


def test_jobs_are_listed_as_tab_separated_text(house: CommandLine) -> None:
    ended = house("jobs")
    assert (ended.code, ended.err) == (0, "")
    rows = {row["job"]: row for row in ended.rows}
    assert list(rows) == ["count", "fail", "decline", "overrun", "walk", "stick", "over"]
    assert rows["count"]["schedule"] == "every 1h"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00\.000Z", rows["count"]["next_run_at"])
    assert rows["walk"]["next_run_at"] == "" and rows["walk"]["note"] == "disabled: it is switched off here"
    assert rows["over"]["next_run_at"] == ""


def test_jobs_as_json_tell_the_last_outcome(house: CommandLine) -> None:
    assert house("run", "fail").code == 1
    found = {row["job"]: row for row in house("jobs", "--json").json}
    assert found["fail"]["last_outcome"] == "failed" and found["fail"]["last_run"] == 1
    assert "cannot use it" in found["fail"]["last_reason"]
    expected = {"job", "schedule", "enabled", "disabled_because", "paused_at", "paused_by", "next_run_at"}
    expected |= {"last_run", "last_outcome", "last_at", "last_reason"}
    expected |= {"title", "tags", "dependencies", "status", "outdated_by"}
    assert set(found["count"]) == expected
    assert found["count"]["enabled"] is True and found["count"]["last_outcome"] is None
    assert found["walk"]["enabled"] is False


def test_jobs_are_a_table_in_a_terminal(house: CommandLine) -> None:
    text, code = in_terminal(house, "jobs")
    assert code == 0
    assert "next run (UTC)" in text and "every 1h" in text and "\t" not in text


# run


@pytest.mark.parametrize(
    "job, code, outcome, text",
    [
        ("count", 0, "succeeded", r"count succeeded in \d+\.\d\d s: checked=7 inserted=5 \(run 1\)"),
        ("fail", 1, "failed", r"fail failed: ValueError: cannot use it \(run 1; `janitor show 1` has the .*\)"),
        ("decline", 3, "skipped", r"decline skipped: there is nothing new \(run 1\)"),
        ("overrun", 4, "timed_out", r"overrun timed out: over its timeout of 0.3 s \(run 1; .*\)"),
    ],
)
def test_run_ends_with_one_line_and_a_code(house: CommandLine, job: str, code: int, outcome: str, text: str) -> None:
    ended = house("run", job)
    assert ended.code == code
    assert len(ended.lines) == 1 and re.fullmatch(text, ended.lines[0])
    assert "Traceback" not in ended.out + ended.err
    assert recorded(house, "SELECT outcome, origin, slot_at FROM runs") == [(outcome, "by_hand", None)]
    assert recorded(house, "SELECT holder FROM leases WHERE holder IS NOT NULL") == []


def test_a_disabled_job_can_be_run_by_hand(house: CommandLine) -> None:
    assert house("run", "count", COUNT_ENABLED="false").code == 0


def test_a_dry_run_says_so_and_writes_nothing(house: CommandLine) -> None:
    ended = house("run", "count", "--dry-run")
    assert ended.code == 0 and " (dry run): checked=7" in ended.out
    assert house("quarantine").rows == []
    assert house("show", "1", "--json").json["dry_run"] == 1


def test_ctrl_c_cancels_a_run_at_a_safe_point(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 5
    assert re.fullmatch(r"walk cancelled: stopped by anna with Ctrl-C \(run 1\)\n", ended.out)
    assert recorded(house, "SELECT outcome FROM runs") == [("cancelled",)]


def test_sigterm_interrupts_a_run_by_hand(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome FROM runs") == [("interrupted",)]


def test_a_second_ctrl_c_ends_a_run_at_once(house: CommandLine) -> None:
    with house.started("run", "stick") as process:
        wait_for(lambda: is_running(house, "stick"))
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome, reason FROM runs") == [
        ("interrupted", "it was ended at once, by a second signal")
    ]


def test_a_job_that_is_running_is_not_run_twice(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        ended = house("run", "walk")
        rows = house("history").rows
    assert ended.code == 3
    assert ended.out == "walk skipped: still running in another process (run 1)\n"
    assert [(row["run"], row["outcome"]) for row in rows] == [("1", "running")]


def test_run_shows_a_bar_and_one_line_in_a_terminal(house: CommandLine) -> None:
    text, code = in_terminal(house, "run", "walk", interrupt_after="walking")
    assert code == 5
    assert "/600" in text
    assert text.strip().splitlines()[-1].endswith("walk cancelled: stopped by anna with Ctrl-C (run 1)")


def test_run_says_that_the_state_database_is_away(house: CommandLine) -> None:
    ended = house("run", "count", STATE_DATABASE_URL=LABWHERE)
    assert ended.code == 1 and ended.out == ""
    assert re.fullmatch(r"janitor: 127\.0\.0\.1:1/labwhere cannot be reached: .*\n", ended.err)


# history and show


def test_history_tells_runs_and_what_people_did(house: CommandLine) -> None:
    house("run", "count")
    house("pause", "count")
    house("run", "fail")
    rows = house("history").rows
    assert [(row["run"], row["job"], row["outcome"]) for row in rows] == [
        ("2", "fail", "failed"),
        ("", "count", ""),
        ("1", "count", "succeeded"),
    ]
    assert rows[1]["note"] == "paused by anna"
    assert rows[2]["counts"] == "checked=7 inserted=5"
    assert [row["job"] for row in house("history", "count", "--limit", "1").rows] == ["count"]
    found = house("history", "--json").json
    assert [row["kind"] for row in found] == ["run", "action", "run"]
    assert found[1]["actor"] == "anna" and found[1]["action"] == "paused"
    assert found[2]["counts"] == {"checked": 7, "inserted": 5} and found[2]["seconds"] > 0


def test_show_has_the_log_and_the_traceback(house: CommandLine) -> None:
    house("run", "fail")
    shown = house("show", "1")
    assert shown.code == 0
    assert "Traceback (most recent call last)" in shown.out and "ValueError: cannot use it" in shown.out
    assert re.search(r"^outcome +failed$", shown.out, re.MULTILINE)
    found = house("show", "1", "--json").json
    assert found["outcome"] == "failed" and found["reason"] == "ValueError: cannot use it"
    assert found["log"][0]["message"] == "started"
    assert found["traceback"].endswith("ValueError: cannot use it\nat all\n")


def test_show_tells_how_far_a_run_is(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        shown, found = house("show", "1"), house("show", "1", "--json").json
    assert re.search(r"^progress +\d+ of 600 walking$", shown.out, re.MULTILINE)
    assert found["outcome"] == "running" and found["progress"][""]["total"] == 600


def test_a_password_is_in_no_output_and_no_record(house: CommandLine) -> None:
    printed = [house(*verb, LABWHERE_DATABASE_URL=LABWHERE, LOG_LEVEL="DEBUG") for verb in (["run", "fail"], ["check"])]
    printed += [house("show", "1"), house("history", "--json"), house("jobs")]
    kept = "\n".join(repr(row) for row in recorded(house, "SELECT reason, traceback FROM runs"))
    kept += repr(recorded(house, "SELECT message FROM run_logs"))
    text = kept + "".join(one.out + one.err for one in printed)
    assert "anna:***@127.0.0.1" in text
    assert SECRET not in text and "s3cret" not in text


# pause and resume


def test_pause_lasts_until_resume(house: CommandLine) -> None:
    assert house("pause", "count").out == "count is paused\n"
    assert house("pause", "count").out == "count was paused already\n"
    row = house("jobs").rows[0]
    assert row["next_run_at"] == "" and re.fullmatch(r"paused since .* by anna", row["note"])
    assert house("resume", "count").out == "count is resumed\n"
    assert house("resume", "count").out == "count was not paused\n"
    assert house("jobs").rows[0]["next_run_at"] != ""
    assert recorded(house, "SELECT actor, action, job FROM actions") == [
        ("anna", "paused", "count"),
        ("anna", "resumed", "count"),
    ]


def test_a_run_is_cancelled_by_its_id(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        [(run_id,)] = wait_for(lambda: recorded(house, "SELECT id FROM runs WHERE outcome IS NULL"))
        assert house("cancel", str(run_id)).out == f"run {run_id} is asked to stop\n"
        assert process.wait(60) == 5
    assert "cancelled by anna" in house("show", str(run_id)).out
    ended = house("cancel", str(run_id))
    assert ended.code == 1 and f"run {run_id} of walk has ended: cancelled" in ended.err


# quarantine and cursor


def test_quarantined_rows_are_retried_and_dropped(house: CommandLine) -> None:
    house("run", "count")
    assert house("quarantine", "count", "--retry", "DN1").out.startswith("1 quarantined rows of count are looked at")
    assert house("quarantine", "--drop", "DN1", "--note", "gone").code == 2
    assert house("quarantine", "count", "--drop", "DN1").code == 2
    assert house("quarantine", "count", "--drop", "DN1", "--note", "gone").code == 0
    assert [row["key"] for row in house("quarantine", "count").rows] == ["DN2"]
    assert [row["key"] for row in house("quarantine", "--dropped").rows] == ["DN1"]


def test_quarantine_lists_keys_with_their_reasons(house: CommandLine) -> None:
    house("run", "count")
    rows = house("quarantine").rows
    assert [(row["job"], row["key"], row["items"], row["reason"]) for row in rows] == [
        ("count", "DN1", "1", "no location"),
        ("count", "DN2", "1", "no user"),
    ]
    assert house("quarantine", "fail", "--json").json == []
    assert house("quarantine", "count", "--json").json[0]["key"] == "DN1"


def test_cursor_is_shown_and_set(house: CommandLine) -> None:
    assert house("cursor", "count").out == "count has no cursor: its next run begins anew\n"
    assert house("cursor", "count", "--set", "7").code == 2
    house("run", "count")
    assert "up to id 41:" in house("cursor", "count").out
    ended = house("cursor", "count", "--set", "17")
    assert ended.code == 0 and "up to id 17:" in ended.out
    assert house("cursor", "count", "--json").json["settled"] == 17
    assert house("cursor", "count", "--set", "start").out == "count has no cursor: its next run begins anew\n"
    assert house("cursor", "count", "--json").out == "null\n"
    assert recorded(house, "SELECT actor, action, detail FROM actions") == [
        ("anna", "cursor set", "17; it was at 41"),
        ("anna", "cursor set", "start; it was at 17"),
    ]


def test_a_bad_cursor_is_refused_and_changes_nothing(house: CommandLine) -> None:
    house("run", "count")
    ended = house("cursor", "count", "--set", "-3")
    assert ended.code == 2 and "--set is '-3': give the id to go on after" in ended.err
    assert house("cursor", "count", "--json").json["top"] == 41
    assert recorded(house, "SELECT 1 FROM actions") == []


def test_the_cursor_of_a_running_job_is_not_set(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        ended = house("cursor", "walk", "--set", "1")
    assert ended.code == 1
    assert ended.err == "janitor: walk is running (run 1): set its cursor once it has ended, or pause it first\n"


# bad input


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["run", "nope"], "JOB is 'nope': there is no such job; the jobs are count, fail, decline, overrun, walk"),
        (["history", "nope"], "there is no such job"),
        (["pause", "nope"], "there is no such job"),
        (["show", "99"], "RUN is '99': there is no such run"),
        (["show", "x"], "'x' is not a valid integer"),
        (["history", "--limit", "0"], "0 is not in the range"),
        (["dance"], "No such command 'dance'"),
    ],
)
def test_bad_input_is_named_and_exits_2(house: CommandLine, arguments: list[str], text: str) -> None:
    ended = house(*arguments)
    assert ended.code == 2 and ended.out == ""
    assert text in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize(
    "name, value, text",
    [
        (
            "STATE_DATABASE_URL",
            "oracle://anna:s3cret99@host/x",
            "STATE_DATABASE_URL is '(not shown)': the driver 'oracle' is not",
        ),
        ("COUNT_SCHEDULE", "every now and then", "COUNT_SCHEDULE is 'every now and then': give 'every' and a number"),
        ("COUNT_ENABLED", "perhaps", "COUNT_ENABLED is 'perhaps': give true or false"),
        ("GRACE_SECONDS", "soon", "GRACE_SECONDS is 'soon': input should be a valid number"),
        ("HEARTBEAT_FILE", "/proc/version/beat", "HEARTBEAT_FILE is '/proc/version/beat': it cannot be written"),
    ],
)
def test_a_bad_setting_stops_the_start(house: CommandLine, name: str, value: str, text: str) -> None:
    ended = house("start", **{name: value})
    assert ended.code == 2
    assert ended.err.startswith(f"janitor: {text}") and ended.err.count("\n") == 1
    assert "s3cret99" not in ended.out + ended.err
    assert not (house.folder / "var" / "janitor.db").exists()


def test_a_start_without_a_needed_setting_is_refused(janitor: CommandLine) -> None:
    ended = janitor("start", LABWHERE_DATABASE_URL="sqlite:///labwhere.db", MLWH_DATABASE_URL="sqlite:///mlwh.db")
    assert ended.code == 2
    assert ended.err.startswith(
        "janitor: MLWH_EVENTS_DATABASE_URL is missing: sequencing_publisher and sequencing_publisher_reconcile need it "
        "(SEQUENCING_PUBLISHER_ENABLED=false and SEQUENCING_PUBLISHER_RECONCILE_ENABLED=false would do without)"
    )


def test_a_start_on_a_damaged_state_database_says_so(house: CommandLine) -> None:
    (house.folder / "state.db").write_text("this is no database, but it is long enough to be looked at" * 20)
    ended = house("start", STATE_DATABASE_URL="sqlite:///state.db")
    assert ended.code == 1
    assert "janitor: state.db is not a SQLite database" in ended.err and "Traceback" not in ended.out + ended.err


@pytest.mark.parametrize("verb", [["jobs"], ["start"], ["run", "count"]])
def test_a_state_database_that_cannot_be_made_is_told(house: CommandLine, verb: list[str]) -> None:
    (house.folder / "file").touch()
    ended = house(*verb, STATE_DATABASE_URL="sqlite:///file/state.db")
    assert ended.code == 1 and "Traceback" not in ended.out + ended.err
    assert re.fullmatch(r"janitor: the folder .*file cannot be made: .*; check the path.*", ended.err.splitlines()[-1])


def test_an_unexpected_error_is_one_sentence(house: CommandLine) -> None:
    environment = {"SMALL_HOUSE_BREAKS": "1", "LABWHERE_DATABASE_URL": LABWHERE}
    ended = house("jobs", **environment)
    url = LABWHERE.replace("s3cret%2Fword%25%26", "***")
    said = f"an error that was not expected: ValueError: cannot use {url} at all"
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"janitor: {said}; set LOG_LEVEL=DEBUG to see where\n"
    debugged = house("jobs", **environment, LOG_LEVEL="DEBUG")
    assert "Traceback" in debugged.err and "s3cret" not in debugged.err


def test_a_reader_that_goes_away_is_no_error(house: CommandLine) -> None:
    house("run", "count")
    command = f"{sys.executable} -m tests.small_house history | true"
    ended = subprocess.run(command, shell=True, cwd=house.folder, env=house.whole({}), capture_output=True, text=True)
    assert ended.stderr == ""


# start and health


def test_start_runs_jobs_until_sigterm(house: CommandLine) -> None:
    with house.started("start", COUNT_SCHEDULE="every 1s", NOPE_ENABLED="false") as process:
        wait_for(lambda: recorded(house, "SELECT 1 FROM runs WHERE outcome = 'succeeded'"))
        healthy, jobs, history = house("health"), house("jobs"), house("history", "count")
        refused = house("start", HISTORY_DAYS="0")
        ended = house.stopped(process)
    assert ended.code == 0 and ended.err == ""
    assert re.search(r"INFO janitor Janitor \d+\.\d+\.\d+\S* starts, its state is in var/janitor.db", ended.out)
    assert "NOPE_ENABLED is set, and there is no job nope" in ended.out
    assert healthy.code == 0 and re.match(r"healthy: the clock ticked \d+ s ago", healthy.out)
    assert jobs.rows[0]["last_outcome"] in ("succeeded", "running") and "succeeded" in {
        row["outcome"] for row in history.rows
    }
    assert refused.code == 2
    assert recorded(house, "SELECT 1 FROM runs WHERE outcome IS NULL") == []


def test_no_verb_means_start(house: CommandLine) -> None:
    with house.started() as process:
        wait_for((house.folder / "var" / "heartbeat").exists)
        time.sleep(0.2)
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 0 and "stopped" in ended.lines[-1]


def test_a_paused_job_is_skipped_by_the_daemon(house: CommandLine) -> None:
    house("pause", "count")
    with house.started("start", COUNT_SCHEDULE="every 1s") as process:
        wait_for(lambda: recorded(house, "SELECT 1 FROM runs WHERE outcome = 'skipped' AND reason = 'paused'"))
        assert house("run", "count").code == 0
        house.stopped(process)
    query = "SELECT outcome FROM runs WHERE job = 'count' AND slot_at IS NOT NULL AND outcome = 'succeeded'"
    assert recorded(house, query) == []


def test_health_needs_a_fresh_heartbeat(house: CommandLine) -> None:
    beat = house.folder / "beat"
    missing = house("health", HEARTBEAT_FILE="beat")
    assert missing.code == 1 and "is the daemon running?" in missing.out
    beat.touch()
    assert house("health", HEARTBEAT_FILE="beat").code == 0
    fine = house("health", "--jobs", HEARTBEAT_FILE="beat")
    assert fine.code == 0 and "and no job is overdue" in fine.out
    with sqlite3.connect(house.folder / "var" / "janitor.db") as connection:
        connection.execute("INSERT INTO jobs VALUES ('count', 'every 1h', 1, '2026-01-01 07:00:00.000000', NULL, NULL)")
    late = house("health", "--jobs", HEARTBEAT_FILE="beat")
    assert late.code == 1 and late.out == "not healthy: count is overdue since 2026-01-01 09:00:05 UTC\n"
    long_ago = time.time() - 31
    os.utime(beat, (long_ago, long_ago))
    stale = house("health", HEARTBEAT_FILE="beat")
    assert stale.code == 1 and re.fullmatch(r"not healthy: the clock ticked 3\d s ago .*\n", stale.out)


def test_a_start_that_is_refused_looks_like_no_clock_that_ticks(house: CommandLine) -> None:
    beat, refused = house.folder / "beat", {"HEARTBEAT_FILE": "beat", "WEB_ENABLED": "true", "WEB_HOST": "0.0.0.0"}
    assert house(**refused).code == 2 and house("health", HEARTBEAT_FILE="beat").code == 1
    beat.touch()
    os.utime(beat, (1, 1))
    assert house(**refused).code == 2 and beat.stat().st_mtime == 1


# listen


def test_listen_prints_rows_from_a_folder(janitor: CommandLine) -> None:
    publish(Settings.load({"MESSAGES_DIR": str(janitor.folder / "out")}, dotenv=None), "any")
    ended = janitor("listen", "--limit", "2", MESSAGES_DIR="out")
    assert ended.code == 0
    assert [found["row"]["id_run"] for found in map(json.loads, ended.lines)] == [1, 2]


def test_listen_prints_rows_from_an_exchange(janitor: CommandLine, exchange: Exchange) -> None:
    environment = {**exchange.broker.environment(), "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    settings = Settings.load(environment, dotenv=None)
    with janitor.started("listen", "--limit", "4", **environment) as process:
        while process.poll() is None:  # nobody tells when its queue is bound
            publish(settings, exchange.name)
            time.sleep(0.1)
        out, err = process.communicate()
    assert process.returncode == 0
    assert {json.loads(line)["row"]["sample_supplier_id"] for line in out.splitlines()} == {"NA12878"}


def test_listen_ends_quietly_on_ctrl_c(janitor: CommandLine) -> None:
    (janitor.folder / "out").mkdir()
    with janitor.started("listen", MESSAGES_DIR="out") as process:
        time.sleep(3)
        ended = janitor.stopped(process, signal.SIGINT)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_listen_says_that_the_exchange_is_missing(janitor: CommandLine, exchange: Exchange) -> None:
    environment = {**exchange.broker.environment(), "SEQUENCING_PUBLISHER_EXCHANGE": "nowhere"}
    ended = janitor("listen", **environment)
    assert ended.code == 1 and "exchange 'nowhere'" in ended.err and ended.err.count("\n") == 1


def publish(settings: Settings, exchange: str) -> None:
    """Publish two rows."""
    schema = Schema.load(PACKAGE, SCHEMA)
    kind = "sample_sequence_status"
    with open_publisher(
        settings, schema, exchange=exchange, subject=kind, message_type=kind, encoding="binary", unroutable="fail"
    ) as publisher:
        publisher.publish([row(1), row(2)])


def row(id_run: int) -> dict[str, object]:
    return {
        "change_date": datetime(2026, 7, 1, 12, tzinfo=timezone.utc),
        "id_run": id_run,
        "sequencing_study": "Cichlids",
        "sample_supplier_id": "NA12878",
        "labware_barcode": "DN1",
        "run_status": 20,
    }


# help


def test_every_verb_has_help_of_one_line(janitor: CommandLine) -> None:
    text = janitor("--help").out
    verbs = re.findall(r"^  (\w+) {2,}(.+)$", text.split("Commands:")[1], re.MULTILINE)
    assert {verb for verb, _ in verbs} == set(VERBS)
    assert [line for _, line in verbs if not line.endswith(".") or line.endswith("...")] == []


VERBS = "start jobs run history show delete pause resume cancel check quarantine cursor listen notices password".split()
VERBS += ["validate", "health"]


def in_terminal(house: CommandLine, *arguments: str, interrupt_after: str = "") -> tuple[str, int]:
    """What a verb writes to a terminal, and its exit code; Ctrl-C is typed once `interrupt_after` was seen."""
    ours, theirs = pty.openpty()
    environment = house.whole({"TERM": "xterm", "COLUMNS": "160", "LINES": "50"})
    command = [sys.executable, *house.program, *arguments]
    process = subprocess.Popen(
        command, cwd=house.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    text, typed = "", False
    while True:
        if select.select([ours], [], [], 60)[0]:
            try:
                text += os.read(ours, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                break
        if interrupt_after and interrupt_after in text and not typed:
            process.send_signal(signal.SIGINT)
            typed = True
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text), process.wait(60)
