"""The front door: which file or function makes the jobs, and by which command reports name it."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from janitor.verbs.front_door import command, front_door
from tests.command_line import CommandLine
from tests.jobs_file.files import write
from tests.small_engine import lite_state
from tests.small_house import build

JOBS = "jobs:\n  - {id: skips, function: 'FUNCTIONS:skips'}\n  - {id: fails, function: 'FUNCTIONS:fails'}\n"
RUN = """
from janitor.scheduler import Scheduler
from janitor.settings import SettingsGroup

class Own(SettingsGroup):
    own_size: int = 7

SETTINGS_OF_TASKS = (Own,)

def count(settings):
    return {"size": settings.of(Own).own_size}

def build(settings):
    scheduler = Scheduler(settings)
    scheduler.add_job(count, "by hand", args=[settings], id="count", isolation="process")
    return scheduler

make = build
"""


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command `janitor`, as an installer makes it, in a folder without a front door."""
    script = tmp_path / "bin" / "janitor"
    script.parent.mkdir()
    script.write_text("from janitor.cli import console_script\n\nif __name__ == '__main__':\n    console_script()\n")
    return CommandLine(tmp_path, (str(script),))


@pytest.mark.slow
def test_a_jobs_file_alone_needs_no_front_door_and_no_settings(janitor: CommandLine) -> None:
    # Given: a folder with nothing but a jobs file. What happens: verbs are asked, with --jobs before and after them.
    # What must hold: the file's jobs are the only ones, nothing else is needed, and reports name the whole command.
    write(janitor.folder, JOBS)
    for words in ("--jobs jobs.yaml jobs", "jobs --jobs jobs.yaml", "jobs --json --jobs jobs.yaml"):
        ended = janitor(*words.split())
        assert (ended.code, "skips" in ended.out, "labware_location" in ended.out) == (0, True, False), ended
    assert janitor("jobs", "--export", "--jobs", "jobs.yaml").out.count("id: ") == 2
    ended = janitor("run", "fails", "--jobs", "jobs.yaml")
    assert ended.code == 1 and "`janitor --jobs jobs.yaml show 1` has the traceback" in ended.out
    ended = janitor("show", "9", "--jobs", "jobs.yaml")
    assert "`janitor --jobs jobs.yaml history` lists all runs" in ended.err
    checked = janitor("--jobs", "jobs.yaml", "check")
    assert checked.code == 0, checked
    assert (
        checked.lines[-1] == "ok     front door: none, as there is no ./run.py and no --app: no jobs but a jobs file's"
    )
    assert [row["job"] for row in janitor("jobs").rows] == []


def test_the_front_door_in_the_folder_is_taken_and_told(janitor: CommandLine) -> None:
    (janitor.folder / "run.py").write_text(RUN, encoding="utf-8")
    assert [row["job"] for row in janitor("jobs").rows] == ["count"]
    assert "count succeeded" in (ran := janitor("run", "count", OWN_SIZE="9")).out and "size=9" in ran.out, ran
    assert "OWN_SIZE is 'many': give a whole number" in janitor("jobs", OWN_SIZE="many").err
    assert janitor("check").lines[-1] == "ok     front door: ./run.py"
    write(janitor.folder, JOBS)
    assert [row["job"] for row in janitor("--jobs", "jobs.yaml", "jobs").rows] == ["count", "skips", "fails"]
    with janitor.started("start") as process:
        assert "the front door is ./run.py" in janitor.heard(process, "leading with")
        assert janitor.stopped(process).code == 0


def test_a_file_that_is_no_front_door_is_not_run(janitor: CommandLine) -> None:
    (janitor.folder / "run.py").write_text("raise SystemExit('it was run')\n", encoding="utf-8")
    ended = janitor("check")
    assert ended.code == 0 and "it was run" not in ended.out + ended.err
    assert ended.lines[-1].startswith("ok     front door: none, as ./run.py has no function build")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def build(:\n", "the front door is './run.py': it cannot be read: SyntaxError"),
        ("def build(settings): ...\n", "the front door is './run.py': build gave None: let it return the Scheduler"),
        ("build = 1\n", "the front door is './run.py': it has no function build; give a function as 'package.mod"),
        ("def build(): ...\nimport nothing_there\n", "it cannot be imported: ModuleNotFoundError: No module named"),
        ("def build(): ...\nraise SystemExit(3)\n", "it cannot be imported: SystemExit: 3"),
    ],
)
def test_a_front_door_that_cannot_be_opened_is_told(janitor: CommandLine, text: str, said: str) -> None:
    (janitor.folder / "run.py").write_text(text, encoding="utf-8")
    ended = janitor("jobs")
    assert (ended.code, ended.err.count("\n")) == (2, 1) and said in ended.err, ended


@pytest.mark.slow
def test_an_application_is_named_before_or_after_the_verb(janitor: CommandLine) -> None:
    package = janitor.folder / "lab"
    package.mkdir()
    (package / "door.py").write_text(RUN, encoding="utf-8")
    (janitor.folder / "run.py").write_text("def build(settings): raise ValueError('it was run')\n", encoding="utf-8")
    for words in ("--app lab.door:make jobs", "jobs --app lab.door"):
        assert [row["job"] for row in janitor(*words.split()).rows] == ["count"], words
    ran = janitor("run", "count", "--app", "lab.door:make")
    assert ran.code == 0 and "size=7" in ran.out
    assert janitor("--app", "lab.door:make", "check").lines[-1] == "ok     front door: --app lab.door:make"
    for given, said in {
        "lab.door:nothing": "it has no function nothing",
        "lab.dor:make": "it cannot be imported: ModuleNotFoundError",
        "lab/door.py": "give a function as 'package.module:build'",
        "lab.door:": "give a function as 'package.module:build'",
    }.items():
        ended = janitor("--app", given, "jobs")
        assert (ended.code, ended.err.count("\n")) == (2, 1) and said in ended.err, ended


@pytest.mark.parametrize("program", [("other.py",), ("-m", "other")])
def test_reports_name_the_file_or_module_that_was_started(tmp_path: Path, program: tuple[str, ...]) -> None:
    (tmp_path / "other.py").write_text(
        "import sys\nfrom janitor import cli\n"
        + RUN.replace('isolation="process"', "retries=0")
        + "\nif __name__ == '__main__':\n    sys.exit(cli.main(build, of_tasks=SETTINGS_OF_TASKS))\n",
        encoding="utf-8",
    )
    lite_state(tmp_path / "var" / "janitor.db")
    house = CommandLine(tmp_path, program)
    named = "python " + " ".join(program)
    assert f"`{named} history` lists all runs" in house("show", "9").err
    assert house("--help").out.startswith(f"Usage: {named} ")
    assert house("check").lines[-1] == "ok     front door: other.py"


def test_a_flag_of_a_verb_counts_for_more_than_the_program_s_option(janitor: CommandLine) -> None:
    write(janitor.folder, JOBS)
    ended = janitor("--jobs", "jobs.yaml", "health", "--jobs")
    assert ended.code == 1 and "is the daemon running?" in ended.out


def test_the_function_that_is_handed_over_is_the_front_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    door = front_door(None, build, ())
    assert (door.build, Path(door.name).name) == (build, "small_house.py")
    assert front_door(None, Scheduler, ()).name.startswith("no file")
    with pytest.raises(BadSetting, match="^--app is 'x y': give a function as"):
        front_door("x y", build, ())


@pytest.mark.parametrize(
    ("called", "given", "named"),
    [
        ("run.py", {}, "python run.py"),
        ("./run.py", {}, "python run.py"),
        ("/srv/a b/run.py", {}, "python '/srv/a b/run.py'"),
        ("/usr/local/bin/janitor", {"--jobs": "my jobs.yaml"}, "janitor --jobs 'my jobs.yaml'"),
        ("-c", {"--app": "lab.door:make"}, "janitor --app lab.door:make"),
    ],
)
def test_a_program_is_named_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, called: str, given: dict[str, str], named: str
) -> None:
    monkeypatch.setattr("sys.argv", [called, "jobs"])
    assert command(given) == named
