"""Templates: what is filled in, what is refused, and that a message's text leads nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import BadSetting, Rejected
from janitor.items.templates import address, check_names, filled, finder, found_in, has_names, names_in

ARGS = {"body": {"name": "Umap", "deep": {"er": True}}, "n": 7, "nothing": None}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("WorkResponse-{key}", "WorkResponse-K7"),
        ("{body.name}/{n}/{body.deep.er}", "Umap/7/true"),
        ("{{{key}}} and }}{{", "{K7} and }{"),
        ("nothing to fill in", "nothing to fill in"),
    ],
)
def test_names_and_paths_are_filled_in(template: str, text: str) -> None:
    assert filled(template, finder({"key": "K7"}, ARGS)) == text


@pytest.mark.parametrize("template", ["{", "}", "{}", "{ key}", "{key", "{a.}", "{a..b}", "{0}", "{a{b}}", "{key!r}"])
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(BadSetting, match="^subject is .*: give names in braces, such as {key}"):
        names_in("subject", template)


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(BadSetting, match="{kee} is not known here: the names are {key}, {pipeline}$"):
        check_names("event", "a-{kee}", frozenset({"key", "pipeline"}))
    check_names("event", "a-{key}", frozenset({"key", "pipeline"}))


@pytest.mark.parametrize("name", ["missing", "body.missing", "n.x", "nothing"])
def test_a_name_without_a_value_is_told_or_left_out(name: str) -> None:
    template = "[{%s}]" % name
    with pytest.raises(Rejected, match=rf"^there is no {name} for "):
        filled(template, finder({}, ARGS))
    assert filled(template, finder({}, ARGS), missing="") == "[]"


def test_the_text_of_a_message_is_no_template() -> None:
    assert filled("{key}", finder({"key": "{secret}"}, {"secret": "no"})) == "{secret}"


def test_the_first_message_that_has_something_counts() -> None:
    assert found_in("id", {"id": None}, {"id": 0}, {"id": 2}) == 0
    assert found_in("body.id", {"body.id": "as an inbox keeps it"}, {"body": {"id": 1}}) == "as an inbox keeps it"
    assert found_in("body.id", {"other": 1}, {"body": {"id": 1}}) == 1


def test_whether_anything_is_to_be_filled_in() -> None:
    assert has_names("a{b}") and not has_names("a{{b}}") and not has_names("")


@given(st.text())
def test_a_value_is_one_piece_of_an_address(value: str) -> None:
    # What a value holds is quoted: no slash, no question mark, no dots that lead elsewhere, nothing that is left out.
    find, special = finder({"it": value}), set("/?#@:\\ \r\n%{}") - {"%"}
    if value in ("", ".", ".."):
        with pytest.raises(Rejected, match="cannot stand in the path of an address"):
            address("/{it}", find)
    else:
        assert not set(address("/{it}", find)[1:]) & special
    assert not set(address("/?it={it}", find)[5:]) & special


def test_an_empty_value_may_stand_in_a_query() -> None:
    assert address("/{a}?b={b}&c={a}", finder({"a": "1", "b": ""})) == "/1?b=&c=1"
