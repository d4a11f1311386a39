"""The outside of a test: a real mail server and a real web server. They keep what they receive."""

import email
import email.policy
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers import free_port


@dataclass(frozen=True)
class Mail:
    """A mail as the server received it."""

    to: list[str]
    message: EmailMessage

    def part(self, kind: str) -> str:
        """Return the text of its part of a kind: plain, or html."""
        found = self.message.get_body((kind,))
        assert found is not None
        text: str = found.get_content()
        return text


@dataclass
class Inbox:
    """A mail server. It gives its `answers` to the next mails, and then accepts."""

    port: int = field(default_factory=free_port)
    mails: list[Mail] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    refused_senders: tuple[str, ...] = ()
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: Any) -> str:
        """Accept or refuse a sender."""
        if sender in self.refused_senders:
            return "553 not one of ours"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:
        """Accept or refuse a recipient."""
        if to in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept or refuse a mail."""
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        message = email.message_from_bytes(content if isinstance(content, bytes) else b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(Mail(list(envelope.rcpt_tos), message))
        return "250 OK"

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        """Accept a client that knows the password."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password in (b"open sesame", "pässwörd-1".encode()), handled=False)

    @contextmanager
    def open(
        self, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False
    ) -> Iterator["Inbox"]:
        """Listen on its port during the block."""
        options: dict[str, Any] = {
            **({"authenticator": self.login, "auth_required": True} if login else {}),
            **({"tls_context": starttls, "require_starttls": True} if starttls is not None else {}),
            **({"ssl_context": tls, "auth_require_tls": False} if tls is not None else {}),
        }
        controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()


@dataclass(frozen=True)
class Request:
    """A request as the server received it."""

    method: str
    path: str
    body: bytes
    content_type: str | None

    @property
    def json(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)


@dataclass
class Hooks:
    """A web server. It gives the statuses in `answers`, and then 200. While it `hangs`, it does not answer."""

    requests: list[Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def paths(self) -> list[str]:
        """The paths of the requests."""
        return [request.path for request in self.requests]

    @contextmanager
    def open(self, tls: ssl.SSLContext | None = None) -> Iterator["Hooks"]:
        """Listen during the block."""
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                while hooks.hangs.is_set():
                    time.sleep(0.02)
                hooks.requests.append(Request("POST", self.path, body, self.headers.get("Content-Type")))
                status = hooks.answers.pop(0) if hooks.answers else 200
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(b"so it is")

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.hangs.clear()
            server.shutdown()
            server.server_close()
