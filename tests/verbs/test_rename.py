"""The verb `rename`, and the other verbs on a job that is gone."""

import json

import pytest

from janitor.errors import BadSetting
from janitor.state import cursors, job_records, memories, quarantine
from janitor.state.quarantine import Quarantined
from janitor.verbs.assembly import Assembly
from janitor.verbs.cursor import cursor
from janitor.verbs.history import history
from janitor.verbs.jobs import jobs
from janitor.verbs.pause import pause, resume
from janitor.verbs.quarantine import quarantine as quarantine_verb
from janitor.verbs.rename import rename
from janitor.verbs.run import run
from tests.command_line import USER
from tests.small_engine import now, remember_run
from tests.verbs.house import done


@pytest.fixture
def gone(assembly: Assembly) -> Assembly:
    """The small house, with what is kept of a job `old`: a run, a pause, and what its task `task` remembers."""
    remember_run(assembly.state, "old", now())
    with assembly.state.begin() as connection:
        job_records.remember(connection, {"old": ("every 1h", True)}, now())
        job_records.remember(connection, {}, now())
        job_records.pause(connection, "old", "every 1h", now(), "berta")
        memories.remember(connection, "old", "task")
        cursors.save(connection, "task", "of its own kind", now(), 1)
        quarantine.put(connection, "task", [Quarantined("DN1", "no user")], now(), 1)
    return assembly


def test_what_is_kept_of_a_job_is_found_by_its_id(gone: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    done(history, gone, "old")
    assert "succeeded" in capsys.readouterr().out
    for name in ("old", "task"):
        done(cursor, gone, name)
        assert capsys.readouterr().out == f"{name} has a cursor of its own kind\n"
        done(quarantine_verb, gone, name, "--json")
        assert [row["key"] for row in json.loads(capsys.readouterr().out)] == ["DN1"]
    done(quarantine_verb, gone, "old", "--retry", "all")
    done(quarantine_verb, gone, "old", "--drop", "DN1", "--note", "lost")
    assert "1 quarantined rows of old are given up" in capsys.readouterr().out
    done(cursor, gone, "old", "--set", "start")
    assert capsys.readouterr().out == "old has no cursor: its next run begins anew\n"
    done(resume, gone, "old")
    done(resume, gone, "old")
    assert capsys.readouterr().out == "old is resumed\nold was not paused\n"


def test_a_job_that_is_gone_cannot_run(gone: Assembly) -> None:
    said = "JOB is 'old': this job is gone, and `history` has what is kept of it; the jobs are count, "
    for verb in (run, pause):
        with pytest.raises(BadSetting, match=said):
            done(verb, gone, "old")


def test_a_mistyped_job_is_no_job_that_is_gone(assembly: Assembly) -> None:
    for verb in (run, pause, resume, history, cursor, quarantine_verb):
        with pytest.raises(BadSetting, match="JOB is 'cuont': there is no such job; the jobs are count, "):
            done(verb, assembly, "cuont")


def test_a_renamed_job_has_what_was_kept(gone: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    done(rename, gone, "old", "count")
    assert capsys.readouterr().out == "count has what was kept of old: 1 run\n"
    done(jobs, gone, "--json")
    count = next(row for row in json.loads(capsys.readouterr().out) if row["job"] == "count")
    assert (count["paused_by"], count["last_outcome"]) == ("berta", "succeeded")
    done(cursor, gone, "count")
    assert capsys.readouterr().out == "count has a cursor of its own kind\n"
    done(quarantine_verb, gone, "--json")
    assert [row["job"] for row in json.loads(capsys.readouterr().out)] == ["count"]
    done(history, gone, "count")
    assert f"renamed by {USER}: it was old" in capsys.readouterr().out
    for verb in (run, pause, resume, history, cursor, quarantine_verb):
        with pytest.raises(BadSetting, match="JOB is 'old': this job was renamed: it is called count now"):
            done(verb, gone, "old")
    with pytest.raises(
        BadSetting, match="nothing is kept of a job with this id, which was renamed: it is called count"
    ):
        done(rename, gone, "old", "count")


def test_of_several_cursors_one_must_be_named(gone: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    with gone.state.begin() as connection:
        memories.remember(connection, "old", "task of two")
        cursors.save(connection, "task of two", "another", now(), 1)
    with pytest.raises(BadSetting, match="its task has the cursors task, task of two: give the name of one"):
        done(cursor, gone, "old")
    done(cursor, gone, "task of two", "--set", "start")
    done(cursor, gone, "old")
    assert capsys.readouterr().out.splitlines()[-1] == "old has a cursor of its own kind"
