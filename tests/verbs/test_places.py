"""Where in the user's own code something went wrong."""

import pytest

from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.places import HOUSE
from tests.command_line import CommandLine

RUN = """
import sys
from janitor import cli
from janitor.items import Step
from janitor.items.replies import HttpReply
from janitor.scheduler import Scheduler

def look(item):
    pass

def build(settings):
    scheduler = Scheduler(settings)
    lab = HttpReply("lab", "http://{key}.example.org/")
    scheduler.add_pipeline("p", [Step("look", look)], replies=[lab])
    return scheduler

if __name__ == "__main__":
    sys.exit(cli.main(build))
"""


def test_a_part_that_cannot_work_is_told_with_its_line(janitor: CommandLine) -> None:
    (janitor.folder / "run.py").write_text(RUN)
    ended = CommandLine(janitor.folder, ("run.py",))("check")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("janitor: url is 'http://{key}.example.org/': give an address whose host is fixed")
    assert ended.err.endswith(" (run.py:13)\n") and len(ended.err.splitlines()) == 1


def test_a_setting_that_is_refused_has_no_line(assembly: Assembly) -> None:
    def build(settings: Settings) -> Scheduler:
        raise BadSetting("LAB_SIZE", "x", "give a number")

    with pytest.raises(BadSetting, match="^LAB_SIZE is 'x': give a number$"):
        _ = Assembly(build, given=assembly.given).own_scheduler


def test_the_house_is_where_it_is() -> None:
    assert (HOUSE / "cli.py").is_file() and HOUSE.name == "janitor"
