"""The notice that a part of the daemon fails: through the channels that still work, and over when it is well again."""

from janitor.loops import Loops
from janitor.notices.content import Content
from janitor.notices.post import Post
from janitor.notices.troubles import TroubleNotices
from tests.notices.house import House
from tests.notices.notebook import Notebook
from tests.small_engine import eventually


class Broken(Notebook):
    """A channel with a mistake in it."""

    def send(self, content: Content) -> str:
        raise KeyError("nobody expected this")


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_trouble_is_told_by_the_channels_that_work_and_so_is_its_end(house: House) -> None:
    # Given a channel that works, one that raises what nobody expects, and a duty that fails three times.
    # It does well again for more than a minute.
    # The channel that works tells both, although the state database is not asked for anything.
    house.runner.leadership.take(None)
    clock, wrong = Clock(), [True]
    loops, good, bad = Loops(clock=clock), Notebook("good"), Broken("bad")
    posts = [Post(house.runner, channel, first_pause_seconds=0.05) for channel in (bad, good)]
    TroubleNotices(loops, posts)

    def body() -> None:
        if wrong:
            raise ZeroDivisionError

    for post in posts:
        post.start()
    duty = loops.duty("the copier", body)
    for _ in range(5):
        duty.do()
    eventually(lambda: good.told == ["began loop_failing"])
    wrong.clear()
    clock.now = 61.0
    duty.do()
    eventually(lambda: good.told == ["began loop_failing", "ended loop_failing"])
    for post in posts:
        post.ask_to_stop()
    assert house.runner.loops.failures["notices to bad"] > 0 == house.runner.loops.failures["notices to good"]


def test_the_notice_says_which_part_and_why(house: House) -> None:
    told: list[Content] = []

    class Kept(Notebook):
        def send(self, content: Content) -> str:
            told.append(content)
            return ""

    loops, post = Loops(lambda text: text.replace("s3cret", "***")), Post(house.runner, Kept())
    TroubleNotices(loops, [post])

    def body() -> None:
        raise ValueError("the key is s3cret")

    duty = loops.duty("the copier", body)
    for _ in range(3):
        duty.do()
    post._step()
    (content,) = told
    assert content.sentence.startswith("janitor: the copier fails again and again, 3 times since")
    assert content.sentence.endswith("ValueError: the key is ***") and content.links == []
    assert content.subject == "janitor has a part that fails again and again"


def test_whatever_a_person_must_know_is_told_too(house: House) -> None:
    told: list[Content] = []

    class Kept(Notebook):
        def send(self, content: Content) -> str:
            told.append(content)
            return ""

    loops, post = Loops(), Post(house.runner, Kept())
    TroubleNotices(loops, [post])
    loops.note("the clock of this host", "it is 300 s behind")
    post._step()
    loops.note_over("the clock of this host")
    post._step()
    assert [one.rule for one in told] == ["trouble", "trouble"] and told[0].key == told[1].key
    assert [one.sentence for one in told] == [
        "janitor: it is 300 s behind",
        "janitor: the clock of this host: well again",
    ]
    assert [one.subject for one in told] == ["janitor needs a look", "janitor needs a look: over"]
    assert told[0].links == []
