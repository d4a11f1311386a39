"""A notice as a message for a Slack incoming webhook: blocks of text.

https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Sequence
from typing import Any

from janitor.notices.content import Content

SECTION = 2_900
"""The longest text of a section, a little below Slack's limit of 3,000 characters."""
SENTENCE = 400
"""The longest sentence in a digest."""
DIGEST_LOGS = 8_000
"""How long all logs of a digest may be together."""


def slack(content: Content) -> dict[str, Any]:
    """Render a notice as blocks; the subject is shown wherever blocks are not."""
    if content.parts:
        room = DIGEST_LOGS // len(content.parts)
        texts = [text for part in content.parts for text in _part_texts(part, room)]
        return _blocks(content, [f"*{_escaped(content.subject)}*", *texts])
    return _blocks(
        content,
        [
            f"{_sign(content)} *{_escaped(content.subject)}*",
            _escaped(content.sentence),
            "\n".join(f"*{_escaped(name)}:* {_escaped(value)}" for name, value in content.facts),
            _links(content),
            _code(content.error) if content.error else "",
            _code("\n".join(content.log)) if content.log else "",
        ],
    )


def _part_texts(content: Content, room: int) -> list[str]:
    said = f"{_sign(content)} *{_escaped(content.subject)}*\n{_links(content)}\n{_escaped(content.sentence[:SENTENCE])}"
    log = "\n".join([*([content.error] if content.error else []), *content.log])
    return [said, *([_code(log[-room:])] if log else [])]


def _blocks(content: Content, texts: Sequence[str]) -> dict[str, Any]:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION]}} for text in texts if text]
    return {"text": _escaped(content.subject), "blocks": blocks}


def _links(content: Content) -> str:
    return " · ".join(f"<{url}|{_escaped(name)}>" for name, url in content.links)


def _sign(content: Content) -> str:
    return ":white_check_mark:" if content.is_good else ":rotating_light:"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    # The end of a log tells more than its beginning. A text must not close the block around it.
    return f"```{_escaped(text.replace('```', chr(39) * 3))[-SECTION + 10:]}```"
