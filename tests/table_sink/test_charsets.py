"""Character sets: which characters fit, and how many bytes they take."""

import pytest

from janitor.table_sink.charsets import holds, known_charset, octets


@pytest.mark.parametrize("charset", ["utf8mb4", "utf8mb3", "utf8", "ucs2", "latin1", "ascii", "cp1251"])
def test_a_character_set_that_python_knows_is_known(charset: str) -> None:
    assert known_charset(charset)


def test_a_character_set_that_python_lacks_is_not_known() -> None:
    assert not known_charset("swe7") and not known_charset("binary")


@pytest.mark.parametrize(
    ("character", "holders"),
    [
        ("a", {"utf8mb4", "utf8mb3", "ucs2", "latin1", "ascii"}),
        ("é", {"utf8mb4", "utf8mb3", "ucs2", "latin1"}),
        ("€", {"utf8mb4", "utf8mb3", "ucs2", "latin1"}),
        ("\x81", {"utf8mb4", "utf8mb3", "ucs2", "latin1"}),
        ("Ł", {"utf8mb4", "utf8mb3", "ucs2"}),
        ("😀", {"utf8mb4"}),
        ("\ud800", set()),
    ],
)
def test_each_character_set_holds_its_own_characters(character: str, holders: set[str]) -> None:
    assert {name for name in ("utf8mb4", "utf8mb3", "ucs2", "latin1", "ascii") if holds(name, character)} == holders


def test_bytes_are_counted_as_the_server_counts_them() -> None:
    assert [octets(name, "aé€") for name in ("utf8mb4", "utf8mb3", "ucs2", "latin1")] == [6, 6, 6, 3]
    assert octets("utf8mb4", "😀") == 4
    assert octets("latin1", "\x81\x81") == 2
