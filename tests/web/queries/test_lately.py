"""What was found out a moment ago: for all who ask meanwhile, and never in place of a fresh look."""

import threading
from itertools import count

import pytest

from janitor.web.queries import lately
from janitor.web.queries.lately import MOST, Lately
from tests.small_engine import eventually


def test_an_answer_is_kept_for_those_who_need_no_fresh_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "SECONDS", 1_000.0)
    known, numbers = Lately(), count(1)

    def find() -> int:
        return next(numbers)

    assert [known.get("a", find, fresh=False) for _ in range(3)] == [1, 1, 1]
    assert known.get("b", find, fresh=False) == 2
    assert (known.get("a", find, fresh=True), known.get("a", find, fresh=False)) == (3, 3)


def test_an_old_answer_is_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "SECONDS", -1.0)
    known, numbers = Lately(), count(1)
    assert [known.get("a", lambda: next(numbers), fresh=False) for _ in range(3)] == [1, 2, 3]


def test_many_who_ask_at_once_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "SECONDS", 1_000.0)
    known, looks, found, let = Lately(), list[int](), list[int](), threading.Event()

    def find() -> int:
        looks.append(1)
        let.wait(30)
        return 7

    threads = [threading.Thread(target=lambda: found.append(known.get("a", find, fresh=False))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: looks)
    assert known.get("b", lambda: 8, fresh=False) == 8
    assert not found, "another question does not wait for the first"
    let.set()
    for thread in threads:
        thread.join(30)
    assert (len(looks), found) == (1, [7] * 5)


def test_a_look_that_fails_leaves_nothing_behind() -> None:
    known = Lately()
    with pytest.raises(ZeroDivisionError):
        known.get("a", lambda: 1 // 0, fresh=False)
    assert known.get("a", lambda: 7, fresh=False) == 7


def test_answers_to_ever_new_questions_do_not_pile_up() -> None:
    known = Lately()
    for number in range(3 * MOST):
        known.get(f"graph {number}", lambda: "x" * 100, fresh=False)
        with pytest.raises(ZeroDivisionError):
            known.get(f"tag {number}", lambda: 1 // 0, fresh=False)
    assert max(len(known._known), len(known._locks)) <= MOST + 1
