"""Notices by email: one message for each or a digest of several, one thread from a notice's beginning to its end."""

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from janitor.errors import BadSetting
from janitor.notices.channel import Undelivered
from janitor.notices.content import Content
from janitor.notices.rendering import as_html, as_text
from janitor.settings.settings import Settings
from janitor.state.notices import BEGAN, ENDED

SECONDS = 20.0
"""How long the mail server may take for one answer."""
REFUSED_FOR_GOOD = (552, 554)
"""Answers to a message's content that another try would not change: too large, or taken for spam."""


class Mail:
    """A mail server, and who gets mails through it."""

    name = "email"
    together = True

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened before the first mail.

        Raises:
            BadSetting: the CA's file cannot be read.
        """
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        to = settings.mail_redirect_to or settings.mail_to or ()
        self.where = f"to {', '.join(to)} through {settings.mail_host}:{settings.mail_port}"
        if settings.mail_tls != "none":
            try:
                self._tls = ssl.create_default_context(cafile=settings.mail_ca_file)
            except OSError as exc:
                reason = getattr(exc, "strerror", None) or "it holds no certificate"
                expected = f"give a PEM file that can be read ({reason})"
                raise BadSetting("MAIL_CA_FILE", settings.mail_ca_file, expected) from exc

    def send(self, content: Content) -> str:
        """Send one mail to all who get it."""
        message = message_of(content, self._settings)
        try:
            with self._connected() as server:
                refused = server.send_message(message)
        except (smtplib.SMTPException, OSError) as exc:
            raise Undelivered(_in_words(exc), _is_final(exc)) from exc
        if not refused:
            return ""
        return "; ".join(f"{to} was refused: {_said(*answer)}" for to, answer in sorted(refused.items()))

    def _connected(self) -> smtplib.SMTP:
        settings, host, port = self._settings, self._settings.mail_host or "", self._settings.mail_port
        # Without a name of its own smtplib asks the resolver for one, which may take minutes.
        own = socket.gethostname()
        if settings.mail_tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, own, timeout=SECONDS, context=self._tls)
        else:
            server = smtplib.SMTP(host, port, own, timeout=SECONDS)
        try:
            if settings.mail_tls == "starttls":
                server.starttls(context=self._tls)
            if settings.mail_username is not None and settings.mail_password is not None:
                server.login(settings.mail_username, settings.mail_password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def message_of(content: Content, settings: Settings) -> EmailMessage:
    """The mail that tells of a notice, as text and as HTML."""
    wanted, redirect = settings.mail_to or (), settings.mail_redirect_to
    sender = settings.mail_from or ""
    domain = sender.rpartition("@")[2]
    message = EmailMessage()
    message["Subject"] = f"[Janitor] {content.subject}"
    message["From"], message["To"] = sender, ", ".join(redirect or wanted)
    message["Date"] = format_datetime(content.at)
    message["Auto-Submitted"] = "auto-generated"
    first = f"<{content.key}@{domain}>"
    if content.parts:
        message["Message-ID"] = f"<{content.key}.{content.kind}.{content.at:%Y%m%d%H%M%S}@{domain}>"
        message["References"] = " ".join(dict.fromkeys(f"<{part.key}@{domain}>" for part in content.parts))
    elif content.kind == BEGAN:
        message["Message-ID"] = first
    else:
        message["Message-ID"] = f"<{content.key}.{content.kind}.{content.at:%Y%m%d%H%M%S}@{domain}>"
        message["In-Reply-To"] = message["References"] = first
    if content.kind != ENDED and not (content.parts and content.is_good):
        message["X-Priority"] = "2"
    text, html = as_text(content), as_html(content)
    if redirect:
        told = f"A test deployment sent this; {', '.join(wanted)} would have got it."
        text, html = f"{told}\n\n{text}", html.replace("<body>", f"<body><p><em>{told}</em></p>", 1)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _is_final(exc: Exception) -> bool:
    return isinstance(exc, smtplib.SMTPDataError) and exc.smtp_code in REFUSED_FOR_GOOD


def _in_words(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPAuthenticationError):
        return f"the mail server takes neither the user nor the password: {_said(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        answers = (f"{to}: {_said(*answer)}" for to, answer in sorted(exc.recipients.items()))
        return f"the mail server refused every recipient: {'; '.join(answers)}"
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"the mail server said {_said(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, ssl.SSLError):
        return f"no TLS with the mail server: {getattr(exc, 'verify_message', '') or exc.reason or exc}"
    return f"the mail server cannot be spoken with: {str(exc) or type(exc).__name__}"


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
