"""A notice at PagerDuty: an incident from the notice's beginning to its end."""

from tests.notices.contents import ENDED, only, sent
from tests.outside import Hooks


def test_pagerduty_gets_an_incident_and_its_end(hooks: Hooks) -> None:
    channel = only(PAGERDUTY_KEY="0123456789abcdef", PAGERDUTY_URL=f"{hooks.url}/v2/enqueue")
    began, ended = sent(hooks, channel), sent(hooks, channel, ENDED)
    assert (began["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert began["dedup_key"] == ended["dedup_key"] == "janitor-1-7"
    assert began["routing_key"] == "0123456789abcdef"
    payload = began["payload"]
    assert (payload["severity"], payload["source"], payload["component"]) == ("error", "host7", "copy")
    assert payload["summary"] == "copy: failed: disk <full> & cold"
    assert "größer" in payload["custom_details"]["log"]
    assert began["links"][0]["href"] == "https://janitor.example.org/runs/9"
