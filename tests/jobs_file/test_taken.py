"""Texts from the environment: what is made of them is told, and is one of them again."""

from collections.abc import Callable
from typing import Any

import pytest

from janitor.jobs_file.taken import Taken, noting

MADE: list[tuple[Callable[[Any], Any], list[str]]] = [
    (lambda text: text.upper(), ["SESAME-17"]),
    (lambda text: text.split("-"), ["sesame", "17"]),
    (lambda text: text.split("-")[0][:3], ["sesame", "17", "ses"]),
    (lambda text: text.partition("-"), ["sesame", "-", "17"]),
    (lambda text: noting(int)(text[7:]), ["17", "17"]),
    (lambda text: noting(str.title)(text), ["Sesame-17"]),
    (lambda text: text.center(20), []),
    (lambda text: noting(len)("another"), []),
    (lambda text: str(text), []),
]


@pytest.mark.parametrize("make, told", MADE, ids=[str(number) for number in range(len(MADE))])
def test_what_is_made_of_a_taken_text_is_told(make: Callable[[Any], Any], told: list[str]) -> None:
    noted: list[str] = []
    made = make(Taken("sesame-17", noted.append))
    assert noted == told
    parts = made if isinstance(made, (list, tuple)) else [made]
    assert all(isinstance(part, (Taken, int)) for part in parts)
