"""Notices by email: one mail for each notice or a digest of several; the mails of one notice form a thread.

it begins     Message-ID: <key@domain>
it lasts      Message-ID: <key.repeated.20260701130000@domain>   In-Reply-To: <key@domain>
it ends       Message-ID: <key.ended.20260701140000@domain>      In-Reply-To: <key@domain>
a digest      References: the first mail of each notice in it
"""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime

from janitor.mail import MailServer, NotSent
from janitor.notices.channel import Undelivered
from janitor.notices.content import Content
from janitor.notices.rendering import as_html, as_text
from janitor.settings.mail import MailSettings
from janitor.state.deliveries import BEGAN, ENDED


class Mail:
    """The channel that sends notices by email."""

    name = "email"
    together = True

    def __init__(self, settings: MailSettings) -> None:
        """Nothing is opened before the first mail.

        Raises:
            BadSetting: MAIL_CA_FILE cannot be read.
        """
        self._settings, self._server = settings, MailServer(settings)
        to = settings.mail_redirect_to or settings.mail_to or ()
        self.where = f"to {', '.join(to)} through {self._server.address}"

    def send(self, content: Content) -> str:
        """Send one mail to all who get it; return who was refused, empty if nobody was."""
        try:
            refused = self._server.send(message_of(content, self._settings))
        except NotSent as exc:
            raise Undelivered(str(exc), exc.final) from exc
        return "; ".join(f"{to} was refused: {answer}" for to, answer in refused.items())


def message_of(content: Content, settings: MailSettings) -> EmailMessage:
    """The mail that tells of a notice, as text and as HTML."""
    wanted, redirect = settings.mail_to or (), settings.mail_redirect_to
    sender = settings.mail_from or ""
    headers = {
        "Subject": f"[Janitor] {content.subject}",
        "From": sender,
        "To": ", ".join(redirect or wanted),
        "Date": format_datetime(content.at),
        "Auto-Submitted": "auto-generated",
        **_thread(content, sender.rpartition("@")[2]),
        **_priority(content),
    }
    text, html = as_text(content), as_html(content)
    if redirect:
        told = f"A test deployment sent this; {', '.join(wanted)} would have got it."
        text, html = f"{told}\n\n{text}", html.replace("<body>", f"<body><p><em>{told}</em></p>", 1)
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _thread(content: Content, domain: str) -> Mapping[str, str]:
    """The headers by which mail programs show the mails of one notice together."""
    first = f"<{content.key}@{domain}>"
    own = f"<{content.key}.{content.kind}.{content.at:%Y%m%d%H%M%S}@{domain}>"
    if content.parts:
        firsts = dict.fromkeys(f"<{part.key}@{domain}>" for part in content.parts)
        return {"Message-ID": own, "References": " ".join(firsts)}
    if content.kind == BEGAN:
        return {"Message-ID": first}
    return {"Message-ID": own, "In-Reply-To": first, "References": first}


def _priority(content: Content) -> Mapping[str, str]:
    is_good_news = content.kind == ENDED or (content.parts and content.is_good)
    return {} if is_good_news else {"X-Priority": "2"}
