"""Mail: a mail server, and sending a mail through it, for tasks and notices alike.

server = MailServer(settings)                  the settings MAIL_HOST, MAIL_PORT, MAIL_TLS, ... say which
refused = server.send(message)                 a mail from the standard library's email.message
{"anna@example.org": "550 no such mailbox"}    who does not get it, and why; all others do
"""

import base64
import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from email.message import EmailMessage

from janitor.errors import BadSetting, JanitorError
from janitor.settings.mail import MailSettings

__all__ = ["MailServer", "NotSent"]

ANSWER_SECONDS = 20.0
"""How long the mail server may take for each answer."""

TAKEN, LOGGED_IN = 250, 235
REFUSED_FOR_GOOD = (552, 554)
"""Answers to a mail's content that another try would not change: too large, or taken for spam."""


class NotSent(JanitorError):
    """Raised when a mail reached nobody: try again later, unless it is `final`."""

    def __init__(self, reason: str, final: bool = False) -> None:
        self.final = final
        super().__init__(reason)


class MailServer:
    """The mail server that the settings name; each mail is sent on a connection of its own."""

    def __init__(self, settings: MailSettings) -> None:
        """Nothing is opened before the first mail.

        Raises:
            BadSetting: MAIL_HOST is missing, or MAIL_CA_FILE cannot be read.
        """
        if settings.mail_host is None:
            raise BadSetting("MAIL_HOST", None, "give the mail server's host name")
        self._settings = settings
        self._tls = None if settings.mail_tls == "none" else _trust(settings)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self._settings.mail_host}:{self._settings.mail_port}"

    def send(self, message: EmailMessage) -> Mapping[str, str]:
        """Send a mail to all whom its header `To` names; return who was refused, each with the server's answer.

        Sending twice sends two mails.

        Raises:
            NotSent: nobody gets the mail.
        """
        try:
            with self._connected() as server:
                refused = server.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            final = isinstance(exc, smtplib.SMTPDataError) and exc.smtp_code in REFUSED_FOR_GOOD
            raise NotSent(_why(exc), final) from exc
        return {to: _answer(*answer) for to, answer in sorted(refused.items())}

    def look(self, sender: str) -> None:
        """Make sure that a mail from `sender` would be taken: connect, log in and name the sender, and send nothing.

        Raises:
            NotSent: it would not be; the reason is the server's.
        """
        try:
            with self._connected() as server:
                server.ehlo_or_helo_if_needed()
                code, answer = server.mail(sender)
                if code != TAKEN:
                    raise smtplib.SMTPSenderRefused(code, answer, sender)
                server.rset()
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            raise NotSent(_why(exc)) from exc

    def _connected(self) -> smtplib.SMTP:
        """A connection on which a mail can be sent: TLS is set up and the user is logged in, if the settings say so."""
        settings = self._settings
        with ExitStack() as if_it_fails:
            server = self._opened()
            if_it_fails.callback(server.close)
            if settings.mail_tls == "starttls":
                server.starttls(context=self._tls)
            if settings.mail_username is not None and settings.mail_password is not None:
                _log_in(server, settings.fresh("MAIL_USERNAME"), settings.fresh("MAIL_PASSWORD").get_secret_value())
            if_it_fails.pop_all()
        return server

    def _opened(self) -> smtplib.SMTP:
        host, port = self._settings.mail_host or "", self._settings.mail_port
        # smtplib asks the resolver for this machine's name if it gets no name. That may take minutes.
        own_name = socket.gethostname()
        if self._settings.mail_tls == "tls":
            return smtplib.SMTP_SSL(host, port, own_name, timeout=ANSWER_SECONDS, context=self._tls)
        return smtplib.SMTP(host, port, own_name, timeout=ANSWER_SECONDS)


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """Log in; a user or password beyond ASCII goes as UTF-8 (RFC 4616), which smtplib cannot send."""
    if user.isascii() and password.isascii():
        server.login(user, password)
        return
    server.ehlo_or_helo_if_needed()
    given = base64.b64encode(f"\0{user}\0{password}".encode("utf-8", "surrogateescape")).decode("ascii")
    code, answer = server.docmd("AUTH", f"PLAIN {given}")
    if code != LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _trust(settings: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.mail_ca_file)
    except OSError as exc:
        reason = "it holds no certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        expected = f"give a PEM file that can be read ({reason})"
        raise BadSetting("MAIL_CA_FILE", settings.mail_ca_file, expected) from exc


def _why(exc: Exception) -> str:
    """Why a mail was not sent."""
    if isinstance(exc, smtplib.SMTPAuthenticationError):
        return f"the mail server refuses the user or the password: {_answer(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        answers = (f"{to}: {_answer(*answer)}" for to, answer in sorted(exc.recipients.items()))
        return f"the mail server refused every recipient: {'; '.join(answers)}"
    if isinstance(exc, smtplib.SMTPSenderRefused):
        return f"the mail server refuses the sender {exc.sender}: {_answer(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"the mail server said {_answer(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, ssl.SSLError):
        return f"no TLS with the mail server: {getattr(exc, 'verify_message', '') or exc.reason or exc}"
    if isinstance(exc, smtplib.SMTPException):
        return f"the mail server cannot be used: {str(exc) or type(exc).__name__}"
    if isinstance(exc, ValueError):
        return f"the mail cannot be written as mail servers want it: {exc}"
    return f"the mail server cannot be reached: {str(exc) or type(exc).__name__}"


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
