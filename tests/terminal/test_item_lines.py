"""All that is known of an item, as lines for people."""

import pytest

from janitor.terminal import item_lines
from tests.state.parcels import NOW, SECOND

STEP = {"deaths": 0, "run": None, "next_try_at": None, "since_at": NOW, "tries": 1}
ATTEMPT = {"run": 3, "started_at": NOW, "seconds": 1.5, "reason": None, "traceback": None, "log": None}
REPLY = {"added_at": NOW, "due_at": None, "ended_at": None, "reason": None}
ITEM = {
    "pipeline": "parcels",
    "key": "a/b",
    "state": "failed",
    "done": 1 / 3,
    "flag": None,
    "resolved_at": None,
    "priority": 0,
    "order_at": NOW,
    "added_at": NOW,
    "origin": "desk",
    "expires_at": None,
    "ended_at": None,
    "times": 1,
    "args": {"n": "é"},
    "envelopes": [],
    "steps": [
        STEP | {"step": "fetch", "state": "done", "status": "processed", "run": 2},
        STEP
        | {"step": "match", "state": "later", "status": "not processed", "next_try_at": NOW, "tries": 2, "deaths": 1},
    ],
    "results": {"fetch": [1, 2]},
    "replies": [
        REPLY | {"to": "mail", "state": "sent", "ended_at": NOW, "tries": 1},
        REPLY | {"to": "web", "state": "waiting", "due_at": NOW + SECOND, "tries": 2, "reason": "nobody\nis there"},
    ],
    "attempts": [
        ATTEMPT | {"step": "fetch", "status": "processed", "log": "12:00 INFO one\n12:01 INFO two\n"},
        ATTEMPT | {"step": "match", "status": "failed", "reason": "no\nhost", "traceback": "Traceback\n  here"},
    ],
}
AT = "2026-07-01 12:00:00"


def test_an_item_is_told_line_by_line() -> None:
    assert list(item_lines.lines(ITEM)) == [
        "item      parcels/a/b",
        "state     failed",
        "done      33% of its steps",
        f"order     {AT}",
        f"added     {AT} (desk)",
        'arguments {"n":"é"}',
        f"step      fetch: processed since {AT}, run 2",
        f"step      match: not processed (later) since {AT}, tries 2, deaths 1, next try {AT}",
        "result    fetch: [1,2]",
        f"reply     mail: sent at {AT}, tries 1",
        "reply     web: waiting, due 2026-07-01 12:00:01, tries 2: nobody is there",
        f"\nattempt 1: fetch in run 3 at {AT}: processed after 1.50 s",
        "12:00 INFO one\n12:01 INFO two",
        f"\nattempt 2: match in run 3 at {AT}: failed after 1.50 s: no host",
        "Traceback\n  here",
    ]


def test_what_is_set_is_told_too() -> None:
    more = {
        "flag": "odd",
        "flagged_by": "anna",
        "flagged_at": NOW,
        "resolved_at": NOW,
        "resolution": "fine",
        "resolved_by": "bert",
        "priority": 5,
        "expires_at": NOW,
        "ended_at": NOW,
        "times": 3,
        "envelopes": [{"to": "anna"}],
    }
    told = set(item_lines.lines(ITEM | more)) - set(item_lines.lines(ITEM))
    assert told == {
        f"flag      odd, by anna at {AT}",
        f"resolved  fine, by bert at {AT}",
        "priority  5",
        f"expires   {AT}",
        f"ended     {AT}",
        "times     3",
        'asked by  {"to":"anna"}',
    }


def test_what_steers_a_terminal_is_shown_as_an_escape(capsys: pytest.CaptureFixture[str]) -> None:
    item_lines.print_item(ITEM | {"key": "a\x1b[31m", "origin": "x\ny"})
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\\x1b[31m" in out and "(x y)" in out
