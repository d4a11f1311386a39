"""Names that move: a server that was not seen lately is another, and a balancer's servers are not."""

from janitor.databases.moved_names import LATELY_SECONDS, MovedNames

NAME = ("db.example", 3306)
A, B = ("a", 3306, 1), ("b", 3306, 2)


def found(*steps: tuple[float, tuple[object, ...]]) -> list[bool]:
    """Whether the name had moved at each step: a moment, and the server that was found."""
    now = [0.0]
    names = MovedNames(lambda: now[0])
    answers = []
    for at, server in steps:
        now[0] = at
        answers.append(names.has_moved(NAME, server))
    return answers


def test_a_server_that_was_not_seen_lately_is_another() -> None:
    assert found((0, A), (1, A), (2, B), (3, B)) == [False, False, True, False]


def test_the_same_server_after_a_long_time_is_the_same() -> None:
    assert found((0, A), (9 * LATELY_SECONDS, A)) == [False, False]


def test_a_name_that_moves_back_later_has_moved() -> None:
    assert found((0, A), (1, B), (2 + LATELY_SECONDS, A)) == [False, True, True]


def test_a_balancer_s_servers_stay() -> None:
    assert found((0, A), (1, B), (2, A), (3, B), (4, A)) == [False, True, False, False, False]


def test_names_are_told_apart() -> None:
    names = MovedNames()
    assert not names.has_moved(NAME, A) and not names.has_moved(("other.example", 3306), B)
