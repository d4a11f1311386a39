"""A reply to a browser: by way of Redis, to a socket.io server that has a Redis adapter.

    Redis                channel socket.io#/#            a message that all servers of this prefix and namespace get
                         channel socket.io#/#ROOM#       one for the browsers in a room; a browser's own id is a room
    the message          msgpack of ["emitter", {type: 2, data: [EVENT, CONTENT], nsp: "/"}, {rooms, except, flags}]

    WorkResponse-KEY         what came of an item, with the result if it is small
    ExperimentUpdates-ID     the same, if whoever asked wants it to be told to all who look at ID
    Heartbeat-ID             an item is at a stage, or is still computed

It is what the package socket.io-emitter publishes. Redis forgets a message at once, and tells only how many servers
heard it: if none did, the reply waits.
"""

import base64
import gzip
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.items.ends import Answer
from janitor.items.option_checks import LARGEST_TEXT, check_seconds, check_whole
from janitor.items.replies.redis_link import ANSWER_SECONDS, RedisLink, pack
from janitor.items.replies.told import json_bytes, told
from janitor.items.templates import check_names, filled, found_in
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

log = logging.getLogger(__name__)

EVENT = 2
"""The type of a packet of socket.io that carries an event."""
EMITTER = "emitter"
"""Who sends, as an adapter wants it: any text that is no server's own id."""
INLINE_BYTES = 250_000
READ_TIMES = 10
"""A result of more than so many times the limit is not tried to be packed."""
BEAT_SECONDS = 30.0
QUIET_SECONDS = 30.0
"""So long nothing is told of what is computed after that failed."""
BEAT_ANSWER_SECONDS = 1.0
"""So long Redis may take to hear of a stage: whoever computes waits meanwhile."""
NAMES = frozenset({"key", "pipeline", "id", "socket"})
OF_BEATS = ("pipeline", "key", "step", "status", "stage", "attempt", "seconds", "note", "at")
"""What a heartbeat tells, if it is given."""
LOOK_ROOM = "janitor-check"
"""Nobody is in this room: what is told there reaches servers, and no browser."""


@dataclass(frozen=True)
class SocketReply:
    """Tells browsers what came of an item, as the package socket.io-emitter does.

    - `name`: its name in its pipeline.
    - `setting`: the variable with the Redis server's URL.
    - `prefix`: the `key` of the socket.io server's adapter.
    - `namespace`: the namespace of socket.io in which browsers listen.
    - `response_event`: the event that tells what came of an item. The names `{key}`, `{pipeline}`, `{id}` and
      `{socket}` are filled in.
    - `broadcast_event`: the event that tells all who look at the same, if the message has something true at
      `broadcast`, a path in its arguments or envelope.
    - `heartbeat_event`: the event that tells of each stage, and every `beat_seconds` while it is computed.
    - `id`: where a message has what `{id}` stands for: a path in its arguments or envelope.
    - `socket`: where it has what `{socket}` stands for, the id of the browser that asked; likewise.
    - `to_socket`: tell only the browser whose id stands at `socket`, if one does; all who listen, if not.
    - `inline_bytes`: a result of up to so many characters is told, packed by gzip and base64; of others the address.
    - `step`: the step whose result is told if there is no store; all results by step, if empty.
    """

    name: str
    setting: str = "REDIS_URL"
    prefix: str = "socket.io"
    namespace: str = "/"
    response_event: str = "WorkResponse-{key}"
    broadcast_event: str = "ExperimentUpdates-{id}"
    heartbeat_event: str = "Heartbeat-{id}"
    broadcast: str = "broadcast"
    id: str = "experimentId"
    socket: str = "socketId"
    to_socket: bool = False
    beat_seconds: float = BEAT_SECONDS
    inline_bytes: int = INLINE_BYTES
    step: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: an event has an unknown name in braces, the namespace does not begin with a slash, or a number
                is out of its range.
        """
        check_seconds("beat_seconds", self.beat_seconds, 0)
        check_whole("inline_bytes", self.inline_bytes, 0, LARGEST_TEXT)
        for option in ("response_event", "broadcast_event", "heartbeat_event"):
            check_names(option, getattr(self, option), NAMES)
        if not self.namespace.startswith("/"):
            raise BadSetting("namespace", self.namespace, 'give "/", or a name that begins with it, such as "/lab"')

    @property
    def requires(self) -> Sequence[Need]:
        """Redis, and a socket.io server that listens there."""
        return (ServiceNeed(f"the Redis server of the reply {self.name}", self.look, (self.setting,)),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Ask Redis whether a socket.io server listens; say so if none does.

        Raises:
            BadSetting, Unavailable, Rejected: Redis cannot be reached, or says no.
        """
        link = self._link(settings)
        try:
            heard = link.publish(self.channel(LOOK_ROOM), self.packet("janitor-check", {}, LOOK_ROOM))
        finally:
            link.close()
        if heard:
            servers = "a socket.io server listens" if heard == 1 else f"{heard} socket.io servers listen"
            return (f"{link.where} answers, and {servers} there",)
        return (f"{link.where} answers; {self.nobody}",)

    @property
    def nobody(self) -> str:
        """What it means that nobody hears."""
        fix = f"start a socket.io server whose Redis adapter has the key {self.prefix!r}"
        return f"no socket.io server listens on {self.channel()}*: {fix}, with the namespace {self.namespace!r}"

    def open(self, settings: Settings) -> "SocketSender":
        """Connect.

        Raises:
            BadSetting, Unavailable, Rejected: Redis cannot be reached, or refuses the user.
        """
        link = self._link(settings)
        link.connect()
        return SocketSender(self, link, self._link(settings, BEAT_ANSWER_SECONDS))

    def _link(self, settings: Settings, answer_seconds: float = ANSWER_SECONDS) -> RedisLink:
        return RedisLink(settings, self.setting, f"the reply {self.name}", answer_seconds)

    def channel(self, room: str = "") -> str:
        """The channel of a room, or of all."""
        return f"{self.prefix}#{self.namespace}#{room}{'#' if room else ''}"

    def packet(self, event: str, content: Mapping[str, Any], room: str = "") -> bytes:
        """An event as a socket.io adapter wants it."""
        packet = {"type": EVENT, "data": [event, dict(content)], "nsp": self.namespace}
        rooms = {"rooms": [room] if room else [], "except": [], "flags": {}}
        return pack([EMITTER, packet, rooms], f"the reply {self.name}")

    def event(self, template: str, about: Mapping[str, Any], args: Any, envelope: Any) -> str | None:
        """The name of an event; None if the message lacks what stands in it."""
        known = {
            "key": about.get("key"),
            "pipeline": about.get("pipeline"),
            "id": found_in(self.id, args, envelope),
            "socket": found_in(self.socket, args, envelope),
        }
        try:
            return filled(template, known.get)
        except Rejected:
            return None

    def room(self, args: Any, envelope: Any) -> str:
        """The room of whoever asked; empty for all."""
        socket = found_in(self.socket, args, envelope) if self.to_socket else None
        return socket if isinstance(socket, str) else ""

    def content(self, answer: Answer) -> Mapping[str, Any]:
        """What is told of an item: its result too, if that is small."""
        found: dict[str, Any] = {**told(answer), "socket": found_in(self.socket, answer.args, answer.envelope)}
        result = self._result(answer)
        packed = None if result is None else base64.b64encode(gzip.compress(result, mtime=0)).decode("ascii")
        is_inline = packed is not None and len(packed) <= self.inline_bytes
        return {**found, "result": packed if is_inline else None, "result_is": "gzip, base64" if is_inline else None}

    def _result(self, answer: Answer) -> bytes | None:
        most = READ_TIMES * self.inline_bytes
        if answer.content is not None:
            return answer.content.read(most)
        value = answer.results.get(self.step) if self.step else dict(answer.results) or None
        if value is None:
            return None
        found = json_bytes(value)
        return found if len(found) <= most else None


class SocketSender:
    """A connection by which browsers are told."""

    def __init__(self, reply: SocketReply, link: RedisLink, for_beats: RedisLink) -> None:
        self._reply, self._link, self._for_beats = reply, link, for_beats
        self._quiet_until = 0.0

    def send(self, answer: Answer) -> None:
        """Tell what came of an item; each event is heard by one server, or by more.

        Raises:
            Unavailable: nobody heard it, or Redis is away or says no: none of that is the item's fault.
        """
        reply, args, envelope = self._reply, answer.args, answer.envelope
        content, about = reply.content(answer), {"key": answer.key, "pipeline": answer.pipeline}
        events = [(reply.event(reply.response_event, about, args, envelope), reply.room(args, envelope))]
        if found_in(reply.broadcast, args, envelope) is True:
            events.append((reply.event(reply.broadcast_event, about, args, envelope), ""))
        for event, room in events:
            if event is not None:
                self._publish(event, content, room)

    def _publish(self, event: str, content: Mapping[str, Any], room: str) -> None:
        try:
            heard = self._link.publish(self._reply.channel(room), self._reply.packet(event, content, room))
        except Rejected as exc:
            raise Unavailable(str(exc)) from exc
        if not heard:
            raise Unavailable(f"{self._link.where} has nobody to tell: {self._reply.nobody}")

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Tell that an item is at a stage, or is still computed.

        `answer` has the item's `args` and `envelope`, and of what it tells: `pipeline`, `key`, `step`, `status`,
        `stage`, `attempt`, `seconds`, `note`, `at`. If nobody listens, or Redis is away, nothing happens.
        """
        if time.monotonic() < self._quiet_until:
            return
        args, envelope = answer.get("args") or {}, answer.get("envelope") or {}
        event = self._reply.event(self._reply.heartbeat_event, answer, args, envelope)
        if event is None:
            return
        content = {name: answer[name] for name in OF_BEATS if name in answer}
        room = self._reply.room(args, envelope)
        try:
            self._for_beats.publish(self._reply.channel(room), self._reply.packet(event, content, room))
        except JanitorError as exc:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            log.debug("%s was not told: %s", event, exc)

    def close(self) -> None:
        """End the connections."""
        self._link.close()
        self._for_beats.close()
