"""A notice for people, as plain text and as HTML."""

from dataclasses import replace

from janitor.notices.content import digest
from janitor.notices.rendering import as_html, as_text
from tests.notices.contents import CONTENT, ENDED


def test_a_text_has_the_sentence_the_error_and_the_log() -> None:
    lines = as_text(CONTENT).splitlines()
    assert lines[:3] == ["copy: failed: disk <full> & cold", "", "rule: failed"]
    assert lines[-2:] == ["The last 1 lines of its log (UTC):", "12:00:01 INFO größer <b>"]
    assert lines[lines.index("The error:") + 1] == "disk <full> & cold"


def test_what_is_empty_has_no_heading() -> None:
    bare = replace(CONTENT, error="", log=(), web_url=None)
    for made in (as_text(bare), as_html(bare)):
        assert "The error:" not in made and "of its log" not in made and "https://" not in made


def test_a_digest_lists_its_subjects_first() -> None:
    both = digest([CONTENT, replace(ENDED, job="clean")])
    assert as_text(both).startswith("- copy failed\n- clean recovered\n\n----")
    assert as_html(both).index("<li>clean recovered</li>") < as_html(both).index("<h3>copy failed</h3>")


def test_no_text_becomes_a_tag() -> None:
    made = as_html(replace(CONTENT, job="<i>", text="<u>", error="<s>", log=["<b>"], host="<em>", counts={"<q>": 1}))
    for tag in ("<i>", "<u>", "<s>", "<b>", "<em>", "<q>"):
        assert tag not in made and tag.replace("<", "&lt;").replace(">", "&gt;") in made
