"""The verb `cancel`: a run is asked to stop once, and only while it goes on."""

import pytest

from janitor.errors import BadSetting
from janitor.verbs.assembly import Assembly
from janitor.verbs.cancel import cancel
from tests.command_line import USER, CommandLine, wait_for
from tests.small_engine import now, remember_run, rows_of
from tests.verbs.house import done, recorded


def test_a_run_is_XX_its_id(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        [(run_id,)] = wait_for(lambda: recorded(house, "SELECT id FROM runs WHERE outcome IS NULL"))
        assert house("cancel", str(run_id)).out == f"run {run_id} is asked to stop\n"
        assert process.wait(60) == 5
    assert f"cancelled by {USER}" in house("show", str(run_id)).out
    ended = house("cancel", str(run_id))
    assert ended.code == 1 and f"run {run_id} of walk has ended: cancelled" in ended.err


def test_a_second_wish_to_cancel_changes_nothing(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    remember_run(assembly.state, "walk", now(), None)
    done(cancel, assembly, "1")
    done(cancel, assembly, "1")
    assert capsys.readouterr().out == "run 1 is asked to stop\nrun 1 was asked to stop already\n"
    (row,) = rows_of(assembly.state)
    assert (row.outcome, row.stop_asked_by) == (None, USER)


def test_a_run_that_is_not_there_cannot_be_cancelled(assembly: Assembly) -> None:
    with pytest.raises(BadSetting, match="RUN is '7': give the id of a run"):
        done(cancel, assembly, "7")
