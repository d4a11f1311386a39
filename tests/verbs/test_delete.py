"""The verb `delete`: a run goes after its cleanup; a run that is needed stays."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import JanitorError
from janitor.verbs.assembly import Assembly
from janitor.verbs.delete import delete
from tests.command_line import USER, CommandLine
from tests.jobs_file.files import write
from tests.small_engine import now, remember_run, rows_of
from tests.verbs.house import done, recorded


def test_a_deleted_run_leaves_only_the_action(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    for hours in (2, 1):
        remember_run(assembly.state, "count", now() - timedelta(hours=hours))
    done(delete, assembly, "1")
    assert capsys.readouterr().out == "run 1 is deleted\n"
    assert [row.id for row in rows_of(assembly.state)] == [2]
    house = CommandLine(Path.cwd())
    assert recorded(house, "SELECT actor, action, job, detail FROM actions") == [(USER, "deleted", "count", "run 1")]


def test_a_run_that_goes_on_is_not_deleted(assembly: Assembly) -> None:
    remember_run(assembly.state, "walk", now(), None)
    with pytest.raises(JanitorError, match="run 1 of walk goes on: cancel it first"):
        done(delete, assembly, "1")
    assert [row.id for row in rows_of(assembly.state)] == [1]


@pytest.mark.slow
def test_deleting_a_run_calls_its_cleanup_with_it_first(chain: CommandLine) -> None:
    text = "jobs:\n  - {id: a, function: 'FUNCTIONS:crawl', args: [x], cleanup: 'FUNCTIONS:clean'}\n"
    write(chain.folder, text)
    assert chain("run", "a").code == 0
    ended = chain("delete", "1", CLEANED="no")
    assert ended.code == 1
    reason = "cleanup of run 1 of a failed, so that its record stays: OSError: told not to"
    assert ended.err == f"janitor: {reason}\n"
    assert chain("show", "1", "--json").json["kept_because"] == reason
    assert chain("delete", "1", CLEANED="cleaned").code == 0
    told: Any = json.loads((chain.folder / "cleaned").read_text(encoding="utf-8"))
    assert told == {"id": 1, "job": "a", "outcome": "succeeded", "pages": [0, 1, 2]}
    assert chain("show", "1").code == 2
    assert [(row["kind"], row["note"]) for row in rows_with_notes(chain)] == [("action", f"deleted by {USER}: run 1")]
    assert "RUN is '1'" in chain("delete", "1").err


def rows_with_notes(chain: CommandLine) -> list[dict[str, str]]:
    """Each line of the history: its kind and its note."""
    return [{"kind": "run" if row["run"] else "action", "note": row["note"]} for row in chain("history").rows]
