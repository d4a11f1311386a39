"""The nodes of a YAML text: keys that stand twice, results that are named, and what is nothing."""

from typing import Any

import yaml

from janitor.jobs_file.nodes import Twice, given_twice, inner, is_null, kind_of, note_twice, referred


def node(text: str) -> Any:
    """The node of a YAML text."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


def twice(text: str) -> list[tuple[str, int]]:
    """The keys that a text has twice."""
    noted: Twice = {}
    root = node(text)
    note_twice(root, noted)
    return list(given_twice(root, noted))


def test_a_key_given_twice_is_found_at_any_depth_with_its_line() -> None:
    assert twice("a: 1\nb:\n  - {c: 1, c: 2}\na: 2\n") == [("a", 3), ("c", 2)]
    assert twice("a: {b: 1}\nc: {b: 1}\n") == []


def test_a_key_that_is_merged_in_is_not_given_twice() -> None:
    assert twice("x: &x {a: 1}\ny: {<<: *x, a: 2, <<: *x}\n") == []


def test_each_result_is_found_with_its_line() -> None:
    assert list(referred(node("a: !result crawl\nb:\n  - {c: !result ' report '}\n"))) == [("crawl", 0), ("report", 2)]
    assert list(referred(node("a: b"))) == []


def test_what_is_not_written_is_nothing() -> None:
    assert [is_null(node(text)) for text in ("", "~", "null", "[]", "0")] == [True, True, True, False, False]
    assert [kind_of(node(text)) for text in ("{}", "[]")] == ["mapping", "list"]
    assert [one.value for one in inner(node("[a, b]"))] == ["a", "b"] and inner(node("a")) == []
