"""The verb `check`: its findings as lines and as JSON, its exit code, and what wings check."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.jobs import Job
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.check import check
from janitor.verbs.wing import Wing
from tests.verbs.house import done


class Refusing(Wing):
    """A wing whose settings do not fit together."""

    def check(self, settings: Settings, jobs: Mapping[str, Job]) -> None:
        raise BadSetting("COUNT_COLOUR", "loud", f"give the colour of one of {len(jobs)} jobs")


def test_each_finding_is_a_line_with_its_verdict(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(check, assembly) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "ok     settings: 7 jobs, 6 of them looked at"
    assert second == "note   walk is switched off by it is switched off here: what it needs is not looked at"
    assert done(check, assembly, "--all") == 0
    assert capsys.readouterr().out.startswith("ok     settings: 7 jobs, 7 of them looked at\n")


def test_a_wrong_finding_ends_check_with_1(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assembly.given["HEARTBEAT_FILE"] = "file/beat"
    assert done(check, assembly) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG  ")]
    assert line.startswith("WRONG  HEARTBEAT_FILE: file/beat cannot be written")
    assert done(check, assembly, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["text"] for one in found if one["verdict"] == "wrong"] == [line.removeprefix("WRONG  ")]


def test_what_a_wing_refuses_ends_check(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    assembly.wings = [Refusing()]
    with pytest.raises(BadSetting, match="COUNT_COLOUR is 'loud': give the colour of one of 7 jobs"):
        done(check, assembly)
    assert capsys.readouterr().out == ""
