"""Obstacles: each is told when it begins and each minute, and shown once it was met twice."""

from janitor.engine.obstacles import LEADING, RECORDING, TELL_AGAIN_SECONDS, Obstacles
from janitor.errors import Unavailable
from janitor.logs.mask import Mask


def test_an_obstacle_is_told_again_each_minute_until_it_is_over() -> None:
    moment = [100.0]
    obstacles = Obstacles(Mask(["hidden-word"]), lambda: moment[0])
    told = []
    for _ in range(130):
        told.append(obstacles.meet(LEADING, Unavailable("it hangs, hidden-word")))
        moment[0] += 1
    assert [seconds for seconds in told if seconds is not None] == [0, TELL_AGAIN_SECONDS, 2 * TELL_AGAIN_SECONDS]
    (trouble,) = obstacles.troubles
    assert (trouble.duty, trouble.failures, trouble.why) == (LEADING, 130, "it hangs, ***")
    assert obstacles.overcome(LEADING) and not obstacles.overcome(LEADING) and obstacles.troubles == []
    assert obstacles.meet(LEADING, "again") == 0


def test_what_comes_once_is_shown_to_nobody() -> None:
    obstacles = Obstacles()
    obstacles.meet(RECORDING, "a connection was lost")
    assert obstacles.troubles == []
    obstacles.meet(RECORDING, "it is away")
    assert [str(one.why) for one in obstacles.troubles] == ["it is away"]
    assert (obstacles.why(RECORDING), obstacles.why(LEADING)) == ("it is away", None)
