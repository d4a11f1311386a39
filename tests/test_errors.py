"""Errors: how a refused value reads, and that every foreign error can be described in one line."""

from typing import Any

import pytest

from janitor.errors import BadSetting, JanitorError, module_of, name_of, summary, text_of


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Wordless(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


class Leaving(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


class Meta(type):
    def __getattribute__(cls, name: str) -> object:
        raise RuntimeError(f"no {name}")


class OfMeta(Exception, metaclass=Meta):
    """Has a class that answers nothing."""


class Shade(str):
    def __format__(self, spec: str) -> str:
        raise SystemExit(1)

    __len__ = __bool__ = __str__ = __format__  # type: ignore[assignment]


class Shaded(Exception):
    def __str__(self) -> str:
        return Shade("a text")


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
        (OfMeta("quiet"), "OfMeta: quiet"),
        (Shaded("a text"), "Shaded: a text"),
        (SyntaxError(Mute()), "SyntaxError: <exception str() failed>"),
    ],
)
def test_every_error_is_told_in_one_line(error: BaseException, said: str) -> None:
    assert summary(error) == said


def test_the_names_of_odd_classes_are_texts() -> None:
    unnamed = type("Unnamed", (Exception,), {"__module__": 7})
    names: dict[str, Any] = {"__builtins__": {"type": type, "Exception": Exception}}
    exec("gone = type('Gone', (Exception,), {})", names)  # in a module without a name
    assert [(module_of(one), name_of(one)) for one in (OfMeta(), unnamed(), names["gone"]())] == [
        (__name__, "OfMeta"),
        ("", "Unnamed"),
        ("", "Gone"),
    ]
    assert (text_of(Shade("x")), text_of(7), text_of("a\nb: c")) == ("<exception str() failed>", "7", "a\nb: c")


def test_all_lines_of_an_error_may_be_told() -> None:
    assert summary(ValueError("one\ntwo"), whole=True) == "ValueError: one two"


def test_a_refused_value_is_named_with_what_is_right() -> None:
    assert str(BadSetting("HISTORY_DAYS", None, "give days")) == "HISTORY_DAYS is missing: give days"
    refused = BadSetting("HISTORY_DAYS", 0, "give 1 or more")
    assert str(refused) == "HISTORY_DAYS is '0': give 1 or more"
    assert (refused.name, refused.value, refused.expected) == ("HISTORY_DAYS", 0, "give 1 or more")
    assert (
        str(BadSetting("SCHEDULE", "x" * 5_000, "give a schedule")) == f"SCHEDULE is '{'x' * 300}...': give a schedule"
    )
    assert str(BadSetting("func", Shade("x"), "give another")) == "func is '<exception str() failed>': give another"
