"""What a reply tells: the same names by whatever way it goes.

    id                  the same each time that this reply is sent
    pipeline, key       which item
    status, kind        the worst of its steps; ok, warning or error
    reason, code        why, in words, and as a code for programs; null if there is nothing to say
    is_late             whether it was over its time
    ended_at            when it ended, in UTC
    results             what its steps left, by step
    address             where the result lies in the store; null without one

Arguments are not told, nor is anything that an inbox kept apart as a secret.
"""

import json
from collections.abc import Mapping
from typing import Any

from janitor.items.ends import Answer
from janitor.items.templates import Find, finder

NOBODY = "nobody asked by this way"


def told(answer: Answer) -> dict[str, Any]:
    """What is told of an item, but for its results."""
    return {
        "id": answer.id,
        "pipeline": answer.pipeline,
        "key": answer.key,
        "status": answer.status,
        "kind": answer.kind,
        "reason": answer.reason,
        "code": answer.code,
        "is_late": answer.is_late,
        "ended_at": answer.ended_at.isoformat(timespec="milliseconds"),
        "address": None if answer.content is None else answer.content.address,
    }


def told_whole(answer: Answer) -> bytes:
    """What is told of an item, with its results, as JSON."""
    return json_bytes({**told(answer), "results": dict(answer.results)})


def json_bytes(value: Mapping[str, Any] | Any) -> bytes:
    """A value as JSON in UTF-8; dates and decimals become texts, and halves of characters escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def find_in(answer: Answer) -> Find:
    """What the names in a template stand for: what is told, then a path into the arguments, then into the envelope."""
    return finder({**told(answer), "reply_id": answer.id}, answer.args, answer.envelope)
