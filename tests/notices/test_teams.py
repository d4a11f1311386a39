"""A notice at Teams: an Adaptive Card, as Teams documents it."""

from tests.notices.contents import ENDED, only, sent
from tests.outside import Hooks


def test_teams_gets_an_adaptive_card(hooks: Hooks) -> None:
    body = sent(hooks, only(TEAMS_URL=f"{hooks.url}/workflows/x"), ENDED)
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert (
        card["body"][0]["text"] == "copy recovered"
        and card["body"][1]["inlines"][0]["text"] == "copy: run 10 succeeded"
    )
    facts = {fact["title"]: fact["value"] for fact in card["body"][2]["facts"]}
    assert facts["until"] == "2026-07-01 13:30:00 UTC, for 1 h 30 min"
    assert card["actions"][0] == {
        "type": "Action.OpenUrl",
        "title": "run 9",
        "url": "https://janitor.example.org/runs/9",
    }
