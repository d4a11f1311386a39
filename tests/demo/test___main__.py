"""The command line of the demo."""

import fcntl
from pathlib import Path

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


def test_an_option_that_is_no_number_is_refused(tmp_path: Path) -> None:
    ended = demo(tmp_path / "demo", "--seconds", "soon")
    assert ended.returncode == 2 and "argument --seconds: invalid float value: 'soon'" in ended.stderr
    assert not (tmp_path / "demo").exists()
