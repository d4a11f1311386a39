"""The page for operators: each sentence in it is one that the code can say."""

import pytest

from tests.docs.project import DOCS
from tests.docs.sentences import is_said, quoted, said

PAGE = DOCS / "how-to" / "what_to_do_when.md"


@pytest.fixture(scope="module")
def all_said() -> list[str]:
    return list(said())


def test_each_sentence_of_the_page_is_one_that_the_code_says(all_said: list[str]) -> None:
    unsaid = [sentence for sentence in quoted(PAGE) if not is_said(sentence, all_said)]
    assert not unsaid, "\n".join(unsaid)
