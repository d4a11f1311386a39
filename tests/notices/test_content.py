"""What a notice says, how several make a digest, and how a notice is kept."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from janitor.notices.content import digest, from_json, to_json
from janitor.notices.pagerduty import pagerduty
from janitor.notices.slack import slack
from janitor.notices.teams import teams
from tests.notices.contents import CONTENT, ENDED
from tests.random_inputs import inputs


@pytest.mark.slow
@settings(max_examples=inputs(30))
@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_any_content_is_kept_and_rendered(text: str, counts: dict[str, Any], log: list[str]) -> None:
    content = replace(CONTENT, text=text, error=text, counts=counts, log=log)
    assert from_json(to_json(content)) == content
    for render in (slack, teams, lambda one: pagerduty(one, SecretStr("key"))):
        json.dumps(render(content))


@pytest.mark.parametrize(
    ("kind", "rule", "subject"),
    [
        ("began", "failed", "copy failed"),
        ("repeated", "overdue", "copy is overdue, still"),
        ("ended", "failed", "copy recovered"),
        ("ended", "ran_long", "copy runs long: over"),
        ("began", "step_fails", "copy fails at item after item"),
        ("ended", "items_wait", "copy lets items wait: over"),
        ("began", "dead_letters_growing", "copy gets messages that cannot become items"),
        ("repeated", "reply_undelivered", "copy cannot deliver replies, still"),
        ("test", "test", "copy sends a test notice"),
    ],
)
def test_the_subject_says_what_happened_to_the_job(kind: str, rule: str, subject: str) -> None:
    assert replace(CONTENT, kind=kind, rule=rule).subject == subject


def test_an_end_says_how_long_it_lasted_and_what_it_was() -> None:
    facts = dict(ENDED.facts)
    assert ENDED.sentence == "copy: run 10 succeeded" and ENDED.is_good and not CONTENT.is_good
    assert facts["until"] == "2026-07-01 13:30:00 UTC, for 1 h 30 min"
    assert facts["it was"] == "failed: disk <full> & cold" and "it was" not in dict(CONTENT.facts)


def test_links_lead_to_the_dashboard_if_it_has_an_address() -> None:
    base = "https://janitor.example.org"
    assert CONTENT.links == [("run 9", f"{base}/runs/9"), ("copy", f"{base}/jobs/copy")]
    assert replace(CONTENT, run_id=None, rule="state_away").links == []
    assert replace(CONTENT, web_url=None).links == []


def test_links_lead_to_the_item_and_its_pipeline() -> None:
    base = "https://janitor.example.org"
    about = replace(CONTENT, pipeline="parcels", item="DN 7/ü")
    page = f"{base}/pipelines/parcels"
    assert about.links == [
        ("item DN 7/\\xfc", f"{page}/item?key=DN+7%2F%C3%BC"),
        ("pipeline parcels", page),
        ("run 9", f"{base}/runs/9"),
        ("copy", f"{base}/jobs/copy"),
    ]
    assert dict(about.facts)["item"] == "DN 7/ü" and "item" not in dict(CONTENT.facts)
    assert replace(about, item="").links[0] == ("pipeline parcels", page)
    letters = replace(about, item="", rule="dead_letters_growing").links
    assert letters[:2] == [("dead letters", f"{page}/letters"), ("pipeline parcels", page)]
    assert about.brief.item == "" and from_json(to_json(about)) == about


def test_a_digest_names_three_notices_and_counts_the_rest() -> None:
    parts = [replace(CONTENT, key=f"k-{n}", job=f"job{n}", at=CONTENT.at + timedelta(hours=n)) for n in range(1, 6)]
    made = digest(parts)
    assert made.subject == "5 notices: job1 failed, job2 failed, job3 failed, and 2 more"
    assert (made.key, made.at) == ("k-1.5.k-5", CONTENT.at + timedelta(hours=5)) and digest(parts) == made
    assert digest([CONTENT, ENDED]).is_good is False and digest([ENDED, ENDED]).is_good
    assert digest(parts[:1]) is parts[0]


def test_a_key_of_another_release_is_ignored() -> None:
    values = json.loads(to_json(CONTENT)) | {"mood": "bad"}
    assert from_json(json.dumps(values)) == CONTENT


@pytest.mark.parametrize(
    "change", [{"at": None}, {"began_at": "2026-07-01T12:00:00"}, {"job": 7}, {"host": None}, {"item": 7}]
)
def test_what_is_no_notice_is_refused_when_it_is_read(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        from_json(json.dumps(json.loads(to_json(CONTENT)) | change))


def test_a_brief_notice_has_nothing_of_a_task() -> None:
    odd = replace(CONTENT, text="é\n\x00\u202e" * 100, error="x", counts={"n": float("nan")}, log=["x"])
    brief = digest([odd, replace(odd, over="ü")]).brief
    assert [(one.error, one.counts, list(one.log)) for one in brief.parts] == [("", None, [])] * 2
    assert all(one.text.isascii() and one.text.isprintable() and len(one.text) <= 200 for one in (*brief.parts, brief))
    assert brief.parts[1].over == "\\xfc" and json.dumps(slack(brief), allow_nan=False)
