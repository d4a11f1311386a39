"""A notice at Slack: blocks of text, as Slack documents them."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.notices.slack import SECTION, slack
from tests.notices.contents import CONTENT, only, sent
from tests.outside import Hooks
from tests.random_inputs import inputs


def test_slack_gets_blocks_with_its_signs_escaped(hooks: Hooks) -> None:
    body = sent(hooks, only(SLACK_URL=f"{hooks.url}/services/T0/B1/x"))
    assert body["text"] == "copy failed" and {block["type"] for block in body["blocks"]} == {"section"}
    whole = "\n".join(block["text"]["text"] for block in body["blocks"])
    assert "disk &lt;full&gt; &amp; cold" in whole and "<full>" not in whole
    assert "<https://janitor.example.org/runs/9|run 9>" in whole and "```12:00:01 INFO größer &lt;b&gt;```" in whole


@settings(max_examples=inputs(30))
@given(st.text(max_size=40), st.integers(1, 200))
def test_slack_never_gets_too_long_a_section(text: str, times: int) -> None:
    content = replace(CONTENT, text=text * times, error=text * times, log=[text * times] * 3)
    for block in slack(content)["blocks"]:
        whole = block["text"]["text"]
        assert 0 < len(whole) <= 3000 and SECTION < 3000
        assert not whole.startswith("```") or (whole.endswith("```") and len(whole) > 5)
