"""A notice as a message for the webhook of a Teams workflow: an Adaptive Card. Teams takes at most 28 KB.

https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams
"""

from typing import Any

from janitor.notices.content import Content

SENTENCE = 400
"""The longest sentence in a digest."""
LONGEST_TEXT = 5_000
"""The longest error or log."""
CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def teams(content: Content) -> dict[str, Any]:
    """Render a notice as an Adaptive Card."""
    actions = [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in content.links]
    card = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _heading(content),
            *(element for part in content.parts for element in _part(part)),
            *([] if content.parts else _single(content)),
            *(_monospaced(text) for text in (content.error, "\n".join(content.log)) if text),
        ],
        **({"actions": actions} if actions else {}),
    }
    return {"type": "message", "attachments": [{"contentType": CONTENT_TYPE, "contentUrl": None, "content": card}]}


def _single(content: Content) -> list[dict[str, Any]]:
    facts = [{"title": name, "value": value} for name, value in content.facts]
    return [_as_it_is(content.sentence), {"type": "FactSet", "facts": facts}]


def _part(part: Content) -> list[dict[str, Any]]:
    """Render one notice of a digest, with the first of its links."""
    links = [_as_it_is(name, selectAction={"type": "Action.OpenUrl", "url": url}) for name, url in part.links[:1]]
    return [_heading(part), _as_it_is(part.sentence[:SENTENCE]), *links]


def _heading(content: Content) -> dict[str, Any]:
    return {
        "type": "TextBlock",
        "text": content.subject,
        "wrap": True,
        "size": "Medium",
        "weight": "Bolder",
        "color": "Good" if content.is_good else "Attention",
    }


def _monospaced(text: str) -> dict[str, Any]:
    return _as_it_is(text[-LONGEST_TEXT:], fontType="Monospace", size="Small")


def _as_it_is(text: str, **how: Any) -> dict[str, Any]:
    # A TextBlock is Markdown: an error in it could become a link.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **how}]}
