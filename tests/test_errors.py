"""Errors: how a refused value reads, and that every foreign error can be described in one line."""

import pytest

from janitor.errors import BadSetting, JanitorError, summary


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Wordless(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


class Leaving(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(), "ValueError"),
        (KeyError("a\nb"), "KeyError: 'a\\nb'"),
        (SyntaxError("odd", ("f.py", 1, 2, "x\ny")), "SyntaxError: odd"),
        (ExceptionGroup("both", [ValueError(1), KeyError(2)]), "ExceptionGroup: both (2 sub-exceptions)"),
        (JanitorError("all is lost"), "JanitorError: all is lost"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (Mute(), "Mute: <exception str() failed>"),
        (Wordless(), "Wordless: <exception str() failed>"),
        (Leaving(), "Leaving: <exception str() failed>"),
        (type("", (Exception,), {"__module__": "builtins"})(), "an error without a name"),
    ],
)
def test_every_error_is_told_in_one_line(error: BaseException, said: str) -> None:
    assert summary(error) == said


def test_all_lines_of_an_error_may_be_told() -> None:
    assert summary(ValueError("one\ntwo"), whole=True) == "ValueError: one two"


def test_a_refused_value_is_named_with_what_is_right() -> None:
    assert str(BadSetting("HISTORY_DAYS", None, "give days")) == "HISTORY_DAYS is missing: give days"
    refused = BadSetting("HISTORY_DAYS", 0, "give 1 or more")
    assert str(refused) == "HISTORY_DAYS is '0': give 1 or more"
    assert (refused.name, refused.value, refused.expected) == ("HISTORY_DAYS", 0, "give 1 or more")
