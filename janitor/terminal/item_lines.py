"""Printing: all that is known of one item, as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from janitor.logs.escapes import LAID_OUT, visible
from janitor.terminal.console import MOST_OF_RESULT, instant, json_line, one_line

Row = Mapping[str, Any]


def print_item(item: Row) -> None:
    """Print what `item_listings.details` tells of an item to stdout."""
    for line in lines(item):
        print(visible(line, keep=LAID_OUT))


def lines(item: Row) -> Iterator[str]:
    """What `item_listings.details` tells of an item, as lines."""
    for name, value in _facts(item).items():
        if value:
            yield f"{name:<9} {one_line(value)}"
    yield from map(_step, item["steps"])
    for step, result in item["results"].items():
        yield f"result    {step}: {json_line(result)[:MOST_OF_RESULT]}"
    for reply in item["replies"]:
        yield f"reply     {_reply(reply)}"
    for number, attempt in enumerate(item["attempts"], 1):
        yield from _attempt(number, attempt)


def _facts(item: Row) -> dict[str, object]:
    flag = item["flag"] and f"{item['flag']}, by {item['flagged_by']} at {instant(item['flagged_at'])}"
    resolved = (
        item["resolved_at"] and f"{item['resolution']}, by {item['resolved_by']} at {instant(item['resolved_at'])}"
    )
    return {
        "item": f"{item['pipeline']}/{item['key']}",
        "state": item["state"],
        "done": f"{item['done']:.0%} of its steps",
        "flag": flag,
        "resolved": resolved,
        "priority": item["priority"],
        "order": instant(item["order_at"]),
        "added": f"{instant(item['added_at'])} ({item['origin']})",
        "expires": instant(item["expires_at"]),
        "ended": instant(item["ended_at"]),
        "times": f"{item['times']}" if item["times"] > 1 else "",
        "arguments": json_line(item["args"])[:MOST_OF_RESULT],
        "asked by": _asked(item["envelopes"])[:MOST_OF_RESULT],
    }


def _asked(envelopes: object) -> str:
    # A text stands in their place if they are not shown.
    return ", ".join(map(json_line, envelopes)) if isinstance(envelopes, list) else str(envelopes or "")


def _step(step: Row) -> str:
    state = "" if step["state"] in ("done", "failed", "processing") else f" ({step['state']})"
    more = [
        f"tries {step['tries']}" if step["tries"] > 1 else "",
        f"deaths {step['deaths']}" if step["deaths"] else "",
        f"run {step['run']}" if step["run"] else "",
        f"next try {instant(step['next_try_at'])}" if step["next_try_at"] else "",
    ]
    told = ", ".join(
        [f"{step['step']}: {step['status']}{state} since {instant(step['since_at'])}", *filter(None, more)]
    )
    return f"step      {one_line(told)}"


def _reply(reply: Row) -> str:
    due = f", due {instant(reply['due_at'])}" if reply["due_at"] else ""
    when = f" at {instant(reply['ended_at'])}" if reply["ended_at"] else ""
    reason = f": {reply['reason']}" if reply["reason"] else ""
    return one_line(f"{reply['to']}: {reply['state']}{when}{due}, tries {reply['tries']}{reason}")


def _attempt(number: int, attempt: Row) -> Iterator[str]:
    began = f"attempt {number}: {attempt['step']} in run {attempt['run']} at {instant(attempt['started_at'])}"
    said = f"{attempt['status']} after {attempt['seconds']:.2f} s"
    reason = f": {one_line(attempt['reason'])}" if attempt["reason"] else ""
    yield f"\n{one_line(began)}: {one_line(said)}{reason}"
    for text in (attempt["log"], attempt["traceback"]):
        if text:
            yield text.rstrip()
