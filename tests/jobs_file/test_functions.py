"""The functions that a jobs file names: found, or why not; and what they need."""

import json
import sys
from pathlib import Path

import pytest

from janitor.jobs_file.functions import function_named, needs_of
from janitor.jobs_file.loading import load
from janitor.jobs_file.mistakes import BadJobsFile, Wrong
from janitor.tasks import labware_location
from tests.jobs_file.files import HERE, JOB, clock, loaded, mistakes, write


def test_a_name_with_a_colon_is_imported() -> None:
    assert function_named(f"{HERE}:clock") is clock
    assert function_named("pathlib:Path.cwd") == Path.cwd


def test_needs_come_from_the_package_of_the_function(tmp_path: Path) -> None:
    text = "jobs:\n  - {id: move, function: 'janitor.tasks.labware_location.sync:follow', schedule: every 5m}\n"
    assert list(loaded(tmp_path, text).jobs["move"].needs) == list(labware_location.NEEDS)


def test_a_function_without_needs_around_it_needs_nothing() -> None:
    assert needs_of(clock) == needs_of(len) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "jobs:\n  - id: a\n    function: nowhere.at:all\n",
            "it is 'nowhere.at:all': there is no module nowhere; put it",
        ),
        ("jobs:\n  - id: a\n    function: skips\n", "give a function as 'package.module:function'"),
        ("jobs:\n  - id: a\n    function: FUNCTIONS:skip\n", f"{HERE} has no skip; did you mean 'skips'?"),
        ("jobs:\n  - id: a\n    function: FUNCTIONS:HERE\n", "which is a str: give a function"),
        (JOB + "    cleanup: no\n", "jobs.yaml:4: job a: cleanup: it is False: give a function as"),
    ],
)
def test_what_is_no_function_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\nsys.exit('enough')\n", "broken_module cannot be imported: SystemExit: enough"),
        ("1 / 0\n", "broken_module cannot be imported: ZeroDivisionError: division by zero"),
        ("import nowhere_at_all\n", "cannot be imported, as it imports nowhere_at_all, which is missing"),
    ],
)
def test_a_module_that_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    (tmp_path / "broken_module.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Wrong, match=said):
        function_named("broken_module:work")


def test_a_module_beside_the_file_or_its_target_is_found(tmp_path: Path) -> None:
    """Given a link to a jobs file; a module lies beside each, and one of the same name beside both.

    Must hold: both modules are found, of two the one beside the link, and no module that Python has already.
    """
    for folder, modules in (("link", ("beside_link", "beside_both")), ("target", ("beside_target", "beside_both"))):
        (tmp_path / folder).mkdir()
        for name in (*modules, "json"):
            code = f"FOLDER = {folder!r}\ndef task():\n    return FOLDER\n"
            (tmp_path / folder / f"{name}.py").write_text(code, encoding="ascii")
    names = ("beside_link:task", "beside_target:task", "beside_both:task", "json:JSONDecoder")
    text = "jobs:\n" + "".join(f"  - {{id: j{number}, function: '{name}'}}\n" for number, name in enumerate(names))
    write(tmp_path / "target", text, "lab.yaml")
    (tmp_path / "link" / "jobs.yaml").symlink_to(tmp_path / "target" / "lab.yaml")
    before = sys.path[:]
    try:
        jobs = load(tmp_path / "link" / "jobs.yaml", clock()).jobs
        assert [jobs[f"j{number}"].func() for number in range(3)] == ["link", "target", "link"]
        assert jobs["j3"].func is json.JSONDecoder
        library = str(Path(json.__file__).parents[1])
        assert sys.path.index(library) < sys.path.index(str(tmp_path / "link"))
    finally:
        sys.path[:] = before


def test_a_link_that_leads_to_another_module_is_told(tmp_path: Path) -> None:
    # Given: a jobs file behind a folder that is a link, with a module that lies beside it in each release.
    # What happens: the link is switched to a release whose module is equal, and to one whose module is not.
    # What must hold: the equal module goes on; the other is a mistake, since Python has the module of before.
    for folder, code in (("r1", "1"), ("r2", "1"), ("r3", "3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "switched_module.py").write_text(f"def task():\n    return {code}\n", encoding="ascii")
        write(tmp_path / folder, "jobs:\n  - {id: a, function: 'switched_module:task'}\n")
    current, before = tmp_path / "current", sys.path[:]
    try:
        for release in ("r1", "r2"):
            current.unlink(missing_ok=True)
            current.symlink_to(release)
            assert load(current / "jobs.yaml", clock()).jobs["a"].func() == 1
        current.unlink()
        current.symlink_to("r3")
        with pytest.raises(BadJobsFile) as caught:
            load(current / "jobs.yaml", clock())
        (said,) = map(str, caught.value.mistakes)
        assert "switched_module was imported from" in said and "and is another now; start the daemon anew" in said
    finally:
        sys.path[:] = before
