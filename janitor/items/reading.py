"""Reading messages: which part of a message is the item's key, its arguments, its secrets, and when it is due.

Each message is looked at by itself: what cannot be an item is a dead letter with one reason, and all others go on.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from janitor.errors import BadSetting
from janitor.items.adding import New, new_item
from janitor.items.ends import Message
from janitor.items.option_checks import LARGEST_TEXT, check_texts, check_whole
from janitor.items.texts import DEEPEST, depth_of
from janitor.state.item_adding import DUPLICATES, NewItem

MOST_BYTES = 1_048_576
LONGEST_SECONDS = 10 * 365 * 86400.0
MOST_DIGITS = 4_000
MARK = "****"
"""What stands in place of a secret."""


class NoItem(BadSetting):
    """Raised when a message cannot be an item; its text is the reason, without the message's own words.

    `code` is what whoever asked is told; `key` is the item's key, as far as it could be read. `envelope` says whom to
    tell, and `text` is the message as a dead letter keeps it.
    """

    def __init__(self, reason: str, code: str = "malformed", key: str | None = None) -> None:
        super().__init__("message", "", reason)
        self.reason, self.code, self.key = reason, code, key
        self.envelope: Mapping[str, Any] = {}
        self.text = ""

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Reading:
    """How an inbox reads its messages; each message is an object in JSON.

    - `key_field`: where the key stands, as a path such as `ETag` or `body.id`: a text, or a whole number.
    - `args_field`: where the arguments stand; the whole message, without its secrets, if empty.
    - `secret_fields`: paths of what is kept apart: steps have it as `item.secrets`, and nobody else.
    - `priority_field`: where its priority stands, a whole number: a larger one goes first.
    - `order_field`: where the moment stands by which it is ordered: ISO 8601, or seconds since 1970.
    - `expires_field`: where the moment stands, in the same form, after which it is not begun. A message that comes
      after its moment is a dead letter, with the code `expired`.
    - `timeout_field`: where the seconds stand after which it is not begun, if there is no such moment.
    - `envelope_fields`: paths of what says whom to answer.
    - `most_bytes`: larger messages are dead letters.
    - `on_duplicate`: what becomes of a key that is there, if it is not as the pipeline says.
    """

    key_field: str = "key"
    args_field: str = ""
    secret_fields: Sequence[str] = ()
    priority_field: str = ""
    order_field: str = ""
    expires_field: str = ""
    timeout_field: str = ""
    envelope_fields: Sequence[str] = ()
    most_bytes: int = MOST_BYTES
    on_duplicate: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: paths are no list, a size is no number, or nobody knows what becomes of a key that is there.
        """
        check_texts("secret_fields", self.secret_fields)
        check_texts("envelope_fields", self.envelope_fields)
        check_whole("most_bytes", self.most_bytes, 1, LARGEST_TEXT)
        if self.on_duplicate is not None and self.on_duplicate not in DUPLICATES:
            raise BadSetting("on_duplicate", self.on_duplicate, f"give one of {', '.join(DUPLICATES)}")


def check_reading(value: object) -> None:
    """Refuse what says nothing of how messages are read, such as a mapping.

    Raises:
        BadSetting: it does not.
    """
    if not isinstance(value, Reading):
        raise BadSetting("reading", value, 'give Reading(...), such as Reading(key_field="id")')


@dataclass(frozen=True)
class Read:
    """A message that was read: its object without secrets, its key if it has one, and its secrets.

    `whole` is the object with its secrets, as a schema looks at it.
    """

    content: Mapping[str, Any]
    key: str | None
    secrets: Mapping[str, Any] = field(repr=False)
    envelope: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read(reading: Reading, message: Message) -> Read:
    """A message as an object, with what is secret apart.

    Raises:
        NoItem: it is too large, no JSON, no object, or too deep.
    """
    if len(message.body) > reading.most_bytes:
        raise NoItem(f"it has {len(message.body):,} bytes, and {reading.most_bytes:,} are taken at most", "too large")
    try:
        content = json.loads(message.body.decode("utf-8"), parse_int=_whole, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise NoItem(f"it is no JSON in UTF-8: {_first_line(exc)}") from exc
    if not isinstance(content, dict):
        raise NoItem(f"it is {_kind(content)}, and an object is wanted")
    if depth_of(content) > DEEPEST:
        raise NoItem(f"its parts lie more than {DEEPEST} levels deep")
    secrets = {path: taken for path in reading.secret_fields if (taken := _take_out(content, path)) is not None}
    found = at_path(content, reading.key_field) if message.key is None else message.key
    # Of anything but a text or a whole number two systems would make two texts.
    key = found if isinstance(found, str) else str(found) if type(found) is int else None
    envelope = {path: at_path(content, path) for path in reading.envelope_fields}
    kept = {path: value for path, value in envelope.items() if value is not None}
    whole = json.loads(message.body) if secrets else content
    return Read(content, key, secrets, {**message.envelope, **kept}, whole)


def item_of(reading: Reading, message: Message, found: Read, origin: str, now: datetime) -> NewItem:
    """The item that a message asks for.

    Raises:
        NoItem: a part of it cannot be an item's, or its time is over.
    """
    if found.key is None:
        given = at_path(found.content, reading.key_field)
        if given is None:
            raise NoItem(f"it has no {reading.key_field}: give the item's key there, a text or a whole number")
        raise NoItem(f"its {reading.key_field} is {_kind(given)}, and the item's key is a text or a whole number")
    expires_at = _expiry(reading, found.content, now)
    if expires_at is not None and expires_at <= now:
        raise NoItem(f"its time was over at {expires_at:%Y-%m-%d %H:%M:%S} UTC", "expired", found.key)
    args = found.content
    if reading.args_field:
        args = at_path(found.content, reading.args_field)
        if not isinstance(args, Mapping):
            raise NoItem(f"its {reading.args_field} is {_kind(args)}, and an object is wanted", key=found.key)
    priority = at_path(found.content, reading.priority_field) if reading.priority_field else None
    order = at_path(found.content, reading.order_field) if reading.order_field else None
    new = New(
        found.key,
        args,
        order_at=message.order_at if order is None else _moment(reading.order_field, order),
        priority=0 if priority is None else priority,
        expires_at=expires_at,
    )
    try:
        made = new_item(new, now, reading.on_duplicate, origin, found.envelope or None, found.secrets)
    except BadSetting as exc:
        raise NoItem(f"its {exc.name} cannot be taken: {exc.expected}", key=found.key[:255]) from exc
    return made if found.envelope or origin != "add" else made._replace(envelope=None)


def at_path(content: Any, path: str) -> Any:
    """What stands at a path such as `body.name`; None if nothing does."""
    for name in path.split("."):
        if not isinstance(content, Mapping) or name not in content:
            return None
        content = content[name]
    return content


def _take_out(content: dict[str, Any], path: str) -> Any:
    """Take a part out of an object; None if it is not there."""
    *before, last = path.split(".")
    inner = at_path(content, ".".join(before)) if before else content
    return inner.pop(last, None) if isinstance(inner, dict) else None


def _expiry(reading: Reading, content: Mapping[str, Any], now: datetime) -> datetime | None:
    if reading.expires_field and (given := at_path(content, reading.expires_field)) is not None:
        return _moment(reading.expires_field, given)
    if reading.timeout_field and (given := at_path(content, reading.timeout_field)) is not None:
        return now + timedelta(seconds=_seconds(reading.timeout_field, given))
    return None


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise NoItem(f"its {name} is no number of seconds between 0 and ten years")
    return seconds


def _moment(name: str, value: Any) -> datetime:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, timezone.utc)
        else:
            raise ValueError
        found = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError) as exc:
        raise NoItem(f"its {name} is no moment: give 2027-01-01T00:00:00Z, or seconds since 1970") from exc


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _kind(value: Any) -> str:
    kinds = (
        (bool, "true or false"),
        (str, "a text"),
        (list, "a list"),
        ((int, float), "a number"),
        (dict, "an object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def with_marks(found: Read) -> dict[str, Any]:
    """A message that was read, with a mark in place of each secret."""
    marked = copy.deepcopy(dict(found.content))
    for path in found.secrets:
        *before, last = path.split(".")
        inner = at_path(marked, ".".join(before)) if before else marked
        if isinstance(inner, dict):
            inner[last] = MARK
    return marked


def without_secrets(text: str, reading: Reading) -> str:
    """A message that cannot be read, without what looks like its secrets."""
    for path in reading.secret_fields:
        name = re.escape(path.rpartition(".")[2])
        text = "".join(_masked(text, re.compile(rf"""{name}["']?\s*[:=]\s*""", re.IGNORECASE)))
    return text


def _masked(text: str, before: re.Pattern[str]) -> Iterator[str]:
    """The parts of a text, with a mark in place of each value that follows such a name."""
    at = 0
    while found := before.search(text, at):
        yield text[at : found.end()]
        at = _end_of_value(text, found.end())
        if at > found.end():
            yield f'"{MARK}"'
    yield text[at:]


_VALUE = re.compile(r"""("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}]+(?:[ ]+[^\s,}]+)?)""", re.DOTALL)
_BRACKETS = re.compile(r"""[\[{]|[\]}]|"(?:[^"\\]|\\.)*"?|'[^']*'?""", re.DOTALL)


def _end_of_value(text: str, at: int) -> int:
    """Where a value ends that begins here; that of an object or a list with its last bracket, or with the text."""
    if text[at : at + 1] not in ("{", "["):
        found = _VALUE.match(text, at)
        return at if found is None else found.end()
    depth = 0
    for one in _BRACKETS.finditer(text, at):
        depth += one[0] in "[{"
        depth -= one[0] in "]}"
        if depth == 0:
            return one.end()
    return len(text)


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its parts lie too deep"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
