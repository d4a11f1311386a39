"""What a jobs file takes from the environment: it is nowhere in clear, whatever a task does with it."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine, wait_for
from tests.jobs_file.files import write
from tests.jobs_file.living import daemon

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfi'CYEXAMPLEKEY"
HERE = "tests.jobs_file.test_secrets"
JSON = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
FILE = """
jobs:
  - id: tells
    title: with {{ env("AWS_SECRET_ACCESS_KEY") }}
    notes: it has {{ env("AWS_SECRET_ACCESS_KEY") }}
    function: HERE:tells
    args: [{{ env("AWS_SECRET_ACCESS_KEY") | tojson }}, {{ env("PIN") }}, {{ env("SITE", public=true) }}]
    isolation: ISOLATION
  - {id: uses, function: "HERE:uses", args: [!result tells], dependencies: [tells], isolation: ISOLATION}
"""


def tells(key: str, pin: int, site: str) -> dict[str, Any]:
    """Tell a key in every way that a task has."""
    import logging

    from janitor import memory
    from janitor.runs import current_run
    from janitor.state.quarantine import Quarantined

    current_run().progress(1, 2, f"with {key}")
    memory.Quarantine("tells").settle((), [Quarantined("row 1", f"{key} said no", "1")])
    logging.warning("it is %s at %s with %d", key, site, pin)
    try:
        raise ValueError(f"not {key}")
    except ValueError:
        logging.exception("a failure")
    return {"counts": {key: 1, "text": key}, "key": key, "pin": pin, "site": site}


def uses(told: dict[str, Any]) -> None:
    """Fail with what another task returned."""
    assert told["key"] == SECRET and told["pin"] == 735519, "it came otherwise than it went"
    raise ValueError(f"cannot use {told}")


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_key_from_the_environment_is_nowhere_in_clear(tmp_path: Path, isolation: str) -> None:
    # Given: two tasks that log, count, return and raise a key and a number from the environment.
    # What happens: both run, and every verb that shows something of them is asked.
    # What must hold: neither is in any output, nor in the state database but for the result that the second job needs.
    house = house_with(tmp_path, isolation)
    said = [house("run", job, TRACEBACK_LOCALS="true", **more) for job in ("tells", "uses") for more in ({}, JSON)]
    assert [ended.code for ended in said] == [0, 0, 1, 1], said
    said += [house(*words.split()) for words in ("show 1", "show 1 --json", "show 3", "history --json", "jobs --json")]
    said += [house("quarantine"), house("quarantine", "--json")]
    said += [house(*words.split()) for words in ("jobs --export", "validate --json", "check")]
    text = "".join(ended.out + ended.err for ended in said)
    assert "garden" in text and 'env("AWS_SECRET_ACCESS_KEY")' in text
    check_nowhere_in_clear(tmp_path, text)


def test_two_runs_with_a_key_tell_it_to_nobody(tmp_path: Path) -> None:
    # The test above in short: the same two tasks in processes of their own, and one verb after them.
    house = house_with(tmp_path, "process")
    said = [house("run", job, TRACEBACK_LOCALS="true") for job in ("tells", "uses")]
    assert [ended.code for ended in said] == [0, 1], said
    said.append(house("show", "2", "--json"))
    assert "cannot use" in said[-1].out
    check_nowhere_in_clear(tmp_path, "".join(ended.out + ended.err for ended in said))


def house_with(folder: Path, isolation: str) -> CommandLine:
    """A folder with the jobs file, and an environment with what it takes from there."""
    write(folder, FILE.replace("HERE", HERE).replace("ISOLATION", isolation))
    return CommandLine(
        folder,
        ("-m", "tests.jobs_file.bare"),
        {"JOBS_FILE": "jobs.yaml", "AWS_SECRET_ACCESS_KEY": SECRET, "PIN": "735519", "SITE": "garden"},
    )


def check_nowhere_in_clear(folder: Path, text: str) -> None:
    """Make sure that key and number are masked in what was said and in the state database, but for the result."""
    assert "***" in text
    kept = [line for line in stored(folder) if not line.startswith("INSERT INTO results ")]
    for part in (SECRET, "wJalrXUtnFEMI", "735519"):
        assert part not in text, part
        assert not [line for line in kept if part in line], part


def stored(folder: Path) -> list[str]:
    """Everything in the state database, as SQL."""
    return [line.replace('"', "") for line in sqlite3.connect(folder / "var" / "janitor.db").iterdump()]


def test_a_result_is_not_shown_while_the_jobs_cannot_be_loaded(tmp_path: Path) -> None:
    write(tmp_path, FILE.replace("HERE", HERE).replace("ISOLATION", "thread"))
    given = {"AWS_SECRET_ACCESS_KEY": SECRET, "PIN": "735519", "SITE": "garden"}
    house = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})
    assert house("run", "tells", **given).code == 0
    shown = house("show", "1")
    assert shown.code == 0 and "not shown, as the jobs cannot be loaded" in shown.out and SECRET not in shown.out


def test_what_a_changed_file_takes_is_masked_from_then_on(tmp_path: Path) -> None:
    # Given: a daemon on a file that takes nothing. What happens: the file changes, and takes a key for two jobs, of
    # which one runs in a process of its own. What must hold: both log it, and the key is in no line and no record.
    first = "jobs:\n  - {id: a, function: 'FUNCTIONS:skips'}\n"
    key = "{id: KIND, function: 'HERE:says', args: ['{{ env(\"LAB_KEY\") }}'], schedule: every 1s, isolation: KIND}"
    lines = [f"  - {key}\n".replace("KIND", kind).replace("HERE", HERE) for kind in ("thread", "process")]
    with daemon(tmp_path, first, LAB_KEY="wJalrXUtnFEMI") as house:
        house.change("jobs:\n" + "".join(lines))
        for kind in ("thread", "process"):
            wait_for(lambda: "succeeded" in house.seen(kind))
            house.says(f"[{kind} ")
        house.says("the key is ***")
    assert "wJalrXUtnFEMI" not in (tmp_path / "log").read_text(encoding="utf-8") + "".join(stored(tmp_path))


def says(key: str) -> None:
    """Log a key."""
    import logging

    logging.getLogger("tests").warning("the key is %s", key)
