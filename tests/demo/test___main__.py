"""The command line of the demo."""

import fcntl
from pathlib import Path

import pytest

from tests.demo.test_demo import demo


def test_a_folder_in_which_another_demo_works_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "labwhere.db").write_text("in use")
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        ended = demo(tmp_path, "--seconds", "1")
    assert ended.returncode == 1
    assert "another demo, or its daemon (process 4711), is at work in" in ended.stdout
    assert (tmp_path / "labwhere.db").read_text() == "in use"


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--seconds", "--patience"])
@pytest.mark.parametrize("text", ["soon", "-3", "inf", "nan"])
def test_an_option_that_is_no_number_of_seconds_is_refused(option: str, text: str, tmp_path: Path) -> None:
    ended = demo(tmp_path / "demo", option, text)
    assert ended.returncode == 2
    assert f"argument {option}: {text!r} is no number of seconds, like 15 or 2.5" in ended.stderr
    assert not (tmp_path / "demo").exists()
