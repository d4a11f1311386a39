"""The notice that the state database is away: it is told once, from memory."""

import shutil
from pathlib import Path

import pytest

from janitor.engine.obstacles import RECORDING
from janitor.errors import Unavailable
from janitor.logs.mask import Mask
from janitor.notices.away import AwayNotice
from janitor.notices.content import Content
from tests.notices.house import NOON, House


def test_the_state_database_away_is_told_from_memory(house: House) -> None:
    watch, path = house.watch(away_seconds=0), str(house.runner.settings.state_database_url.database)
    (post,) = watch._posts
    watch.try_look(NOON)
    house.runner.state.close()
    shutil.move(path, f"{path}.away")
    Path(path).mkdir()
    for _ in range(3):
        watch.try_look(NOON)
    Path(path).rmdir()
    shutil.move(f"{path}.away", path)
    watch.try_look(NOON)
    watch.try_look(NOON)
    assert [(one.kind, one.rule, one.over) for one in post._direct] == [
        ("began", "state_away", ""),
        ("ended", "state_away", "the state database is back"),
    ]


def test_a_state_database_that_takes_no_records_is_told_as_away(house: House) -> None:
    # Given: a daemon that watches. What happens: the disk of its state database is full. All can be read, and nothing
    # new is to be seen, since nothing can be recorded. What must hold: it is told until records are written again.
    watch = house.watch(away_seconds=0)
    (post,) = watch._posts
    for met in (False, True, True, False):
        if met:
            house.runner.obstacles.meet(RECORDING, "the disk is full")
        watch.try_look(NOON)
    (began,) = post._direct
    assert began.rule == "state_away" and began.text.endswith("nothing can be recorded: the disk is full")
    house.runner.obstacles.overcome(RECORDING)
    watch.try_look(NOON)
    assert [one.kind for one in post._direct] == ["began", "ended"]


class Told(list[Content]):
    """The notices that were told."""

    def notice(self, after_seconds: float = 0.0) -> AwayNotice:
        """Make a notice that tells this list."""
        return AwayNotice(self.append, Mask(["hidden-word"]), "host7", after_seconds)


AWAY = Unavailable("cannot connect as janitor:hidden-word")


def test_it_is_told_once_without_a_secret_until_it_is_back() -> None:
    told = Told()
    notice = told.notice()
    for _ in range(3):
        notice.is_away(AWAY, NOON, stands_by=False)
    assert [one.text for one in told] == [
        "the state database is away; runs fail until it is back: cannot connect as janitor:***"
    ]
    for _ in range(2):
        notice.is_back(NOON)
    assert [one.kind for one in told] == ["began", "ended"] and told[0].key == told[1].key
    notice.is_away(AWAY, NOON, stands_by=False)
    assert [one.kind for one in told] == ["began", "ended", "began"]


@pytest.mark.parametrize(("after_seconds", "stands_by"), [(3_600.0, False), (0.0, True)])
def test_a_short_absence_or_a_second_daemon_tells_nothing(after_seconds: float, stands_by: bool) -> None:
    told = Told()
    notice = told.notice(after_seconds)
    for _ in range(2):
        notice.is_away(AWAY, NOON, stands_by=stands_by)
    notice.is_back(NOON)
    assert told == []
