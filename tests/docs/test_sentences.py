"""The page for operators: it has each sentence that they may get, and no sentence that nobody says."""

import difflib

from tests.docs.project import DOCS
from tests.docs.sentences import for_operators, pattern, quoted, said

PAGE = DOCS / "how-to" / "what_to_do_when.md"


def nearest(sentence: str, all_said: list[str]) -> str:
    """What the code says that is most like a sentence, for whoever has to correct the page."""
    return (difflib.get_close_matches(sentence, all_said, n=1, cutoff=0.0) or [""])[0]


def test_each_sentence_of_the_page_is_one_that_the_code_says() -> None:
    all_said = list(said())
    unsaid = [one for one in quoted(PAGE) if not any(map(pattern(one).stand_in, all_said))]
    assert not unsaid, "\n".join(f"{one}\n    now: {nearest(one, all_said)}" for one in unsaid)


def test_each_sentence_for_operators_has_an_entry() -> None:
    entries = [pattern(one) for one in quoted(PAGE)]
    without = [f"{place}: {text}" for place, text in for_operators() if not any(one.stand_in(text) for one in entries)]
    assert not without, "\n".join(without)


def test_each_sentence_stands_once() -> None:
    sentences = quoted(PAGE)
    assert sorted(sentences) == sorted(set(sentences))
