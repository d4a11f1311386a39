"""Values as YAML, and as a template: both give the same value back."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.jobs import Result
from janitor.jobs_file.document import value_of
from janitor.jobs_file.template import render
from janitor.jobs_file.yaml_texts import comes_back, dumped, indented, templated


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [True, None, 1.5, float("nan")]},
        "several\nlines\n",
        "\x85\u2028",
        "7",
        date(2027, 1, 1),
        Result("crawl"),
        "x" * 300 + " y",
    ],
)
def test_a_value_of_yaml_comes_back(value: Any) -> None:
    assert comes_back(value) and repr(value_of(dumped(value))) == repr(value)


@pytest.mark.parametrize("value", [Decimal("1.1"), {1: {(1,)}}, (1, 2), "half of \ud800", object(), [(1,)]])
def test_another_value_does_not(value: Any) -> None:
    assert not comes_back(value)


def test_the_order_of_keys_stays() -> None:
    assert list(value_of(dumped({"z": 1, "a": 2}))) == ["z", "a"]
    assert not comes_back({"a": {"b": Decimal(1)}})


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        dumped(object())


@pytest.mark.parametrize("text", ["a: '{{ b }}'\n", "a: '{% raw %}{% endraw %}'\n", "a: '{#'\n", "a: b\n"])
def test_a_template_renders_to_the_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "copy.yaml").write_text(templated(text, {}), encoding="ascii")
    assert render(tmp_path / "copy.yaml", {}).text.strip() == text.strip()


def test_a_secret_becomes_its_variable() -> None:
    assert templated("a: long-secret\n", {"long-secret": "KEY"}) == 'a: {{ env("KEY") }}\n'
    assert templated("a: short\n", {"sho": "KEY"}) == "a: short\n", "so short a text is in many words"
    assert templated("a: made-of-it\n", {"made-of-it": ""}) == "a: made-of-it\n"


def test_a_text_is_put_in_without_blanks_on_empty_lines() -> None:
    assert indented("a: |\n  b\n\n  c\n") == "  a: |\n    b\n\n    c\n"
