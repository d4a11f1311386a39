"""A reply over HTTP: a JSON document, posted to an address of the pipeline's, or to the one that a message names.

    2xx                                   the other side has it
    408, 425, 429, 5xx, no answer         it may go later
    any other status                      it can never go: a person must look

An address that comes with a message is used only if its server is one of `hosts`: a message cannot aim requests at
anything else. What is filled into an address is quoted, so it leads to no other path or host.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from janitor.errors import BadSetting, Rejected, Skip, Unavailable
from janitor.http import PORTS, Bounds, Client, RequestFailed, Server, server_of
from janitor.items.ends import Answer
from janitor.items.option_checks import check_seconds, check_texts
from janitor.items.replies.told import NOBODY, find_in, told_whole
from janitor.items.templates import address, found_in, has_names, names_in
from janitor.items.variables import secret_of
from janitor.needs import Need, ServiceNeed
from janitor.runs import current_run
from janitor.settings.settings import Settings

MAY_GO_LATER = frozenset({408, 425, 429})
ANSWER_SECONDS = 30.0
HEADERS_HELP = 'give a mapping from header to variable, such as {"Authorization": "LAB_TOKEN"}'
HOSTS_HELP = "give the servers that a message may name, such as lab.example.org, *.example.org or lab.example.org:8443"
_HOST = re.compile(r"(?P<host>(?:\*\.)?[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class HttpReply:
    """Posts what came of an item as JSON; the header `Idempotency-Key` has the reply's id.

    - `name`: its name in its pipeline.
    - `url`: the address; `{key}`, `{pipeline}`, `{status}` and paths into the item's arguments are filled in behind
      the host.
    - `url_at`: instead of that, where a message says its address: a path in its envelope or arguments. A message that
      says none is answered by nobody.
    - `hosts`: with `url_at`, the servers that a message may name: `lab.example.org`, or with a port that is not the
      usual one, `lab.example.org:8443`; `*.example.org` for all below.
    - `headers`: names of headers, each with the variable whose value goes in it: `{"Authorization": "LAB_TOKEN"}`.
    - `answer_seconds`: how long one reply may take, from connecting to the answer.
    """

    name: str
    url: str = ""
    url_at: str = ""
    hosts: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    answer_seconds: float = ANSWER_SECONDS

    beat_seconds = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: there is no address, or two, or one whose host is filled in; no host is allowed; or a reply has
                no time for an answer.
        """
        check_seconds("answer_seconds", self.answer_seconds)
        if not isinstance(self.headers, Mapping):
            raise BadSetting("headers", self.headers, HEADERS_HELP)
        if bool(self.url) == bool(self.url_at):
            raise BadSetting("url", self.url or None, "give either url, or url_at with hosts")
        if self.url_at and not self.hosts:
            raise BadSetting("hosts", None, HOSTS_HELP)
        check_texts("hosts", self.hosts)
        for allowed in self.hosts:
            if _HOST.fullmatch(allowed.lower()) is None:
                raise BadSetting("hosts", allowed, HOSTS_HELP)
        if self.url:
            names_in("url", self.url)
            _check_host(self.url)

    @property
    def requires(self) -> Sequence[Need]:
        """The server, if it is always the same, and the variables with what goes into headers."""
        return (ServiceNeed(f"the server of the reply {self.name}", self.look, tuple(self.headers.values())),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Make sure that the headers' variables are there, and tell where replies go; nothing is sent.

        Raises:
            BadSetting: a variable is missing.
        """
        self.secrets(settings)
        if self.url:
            server = server_of(_before_names(self.url))
            return (f"the reply {self.name} is posted to {server.host}:{server.port}, which is asked nothing now",)
        return (f"the reply {self.name} is posted to where a message says, within {', '.join(self.hosts)}",)

    def open(self, settings: Settings) -> "HttpSender":
        """Take the headers from their variables; nothing is connected yet.

        Raises:
            BadSetting: a variable is missing.
        """
        return HttpSender(self, self.secrets(settings), settings.connect_timeout_seconds)

    def secrets(self, settings: Settings) -> Mapping[str, str]:
        """The headers with what their variables hold.

        Raises:
            BadSetting: a variable is missing.
        """
        expected = f"give what goes into a header of the reply {self.name}"
        return {name: secret_of(settings, variable, expected) for name, variable in self.headers.items()}

    def address_of(self, answer: Answer) -> str | None:
        """Where a reply goes; None if nobody asked.

        Raises:
            Skip: the message has no key, and the address is made of it.
            Rejected: the message names another server than it may, or lacks what the address is made of.
        """
        if self.url and not answer.key and "key" in names_in("url", self.url):
            raise Skip("the message has no key, and the address is made of it")
        if self.url:
            return address(self.url, find_in(answer))
        given = found_in(self.url_at, answer.envelope, answer.args)
        if given is None:
            return None
        try:
            server = server_of(given) if isinstance(given, str) else None
        except ValueError:
            server = None
        if server is None:
            raise Rejected(f"{self.url_at} is no address such as https://host/path")
        if not any(_is_within(server, allowed) for allowed in self.hosts):
            raise Rejected(f"{self.url_at} names {server.host}:{server.port}, which is none of {', '.join(self.hosts)}")
        return str(given)


class HttpSender:
    """Posts replies."""

    def __init__(self, reply: HttpReply, headers: Mapping[str, str], connect_seconds: float) -> None:
        self._reply, self._headers = reply, {"Content-Type": "application/json", **headers}
        self._client = Client(connect_seconds=min(connect_seconds, reply.answer_seconds))

    def send(self, answer: Answer) -> None:
        """Post a reply, and return once the server has said yes.

        Raises:
            Skip: nobody asked, or nobody knows where.
            Unavailable: the server is away, or says that it may take it later.
            Rejected: the server refuses it, or the message names a server that it may not name.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        url = self._reply.address_of(answer)
        if url is None:
            raise Skip(NOBODY)
        headers = {**self._headers, "Idempotency-Key": answer.id}
        bounds = Bounds(time.monotonic() + self._reply.answer_seconds, current_run().check)
        try:
            self._client.post(url, told_whole(answer), headers, bounds=bounds)
        except RequestFailed as exc:
            kind = Unavailable if exc.status in MAY_GO_LATER or exc.status >= 500 or not exc.status else Rejected
            server = server_of(url)
            raise kind(f"{server.host}:{server.port}: {exc}") from exc

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Nothing is told before the end."""

    def close(self) -> None:
        """Nothing is to be ended."""


def _check_host(url: str) -> None:
    try:
        server_of(_before_names(url))
    except ValueError as exc:
        raise BadSetting("url", url, f"give an address whose host is fixed, as in https://host/items/{{key}}: {exc}")


def _before_names(url: str) -> str:
    """An address up to the first name in it, which must stand behind the host."""
    scheme, slashes, rest = url.partition("://")
    host, slash, _ = rest.partition("/")
    return scheme + slashes + host if not has_names(scheme + host) else ""


def _is_within(server: Server, allowed: str) -> bool:
    found = _HOST.fullmatch(allowed.lower())
    if found is None or server.port != int(found["port"] or PORTS[server.scheme]):
        return False
    host = found["host"]
    return server.host.endswith(host[1:]) if host.startswith("*.") else server.host == host
