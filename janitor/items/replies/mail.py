"""A reply by mail: to addresses of the pipeline's, or to the one that a message names, within allowed domains."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime

from janitor.errors import BadSetting, Rejected, Skip, Unavailable
from janitor.items.ends import Answer
from janitor.items.option_checks import check_texts
from janitor.items.replies.told import NOBODY, find_in
from janitor.items.templates import filled, found_in, has_names, names_in
from janitor.mail import MailServer, NotSent
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

log = logging.getLogger(__name__)

SUBJECT = "{pipeline}: {key} is {status}"
TEXT = """{key} of {pipeline} is {status}.

{reason}

{address}
"""
LONGEST_SUBJECT = 200
DOMAINS_HELP = "give the domains to which a message may have mail sent, such as example.org"
_ADDRESS = re.compile(r"[^@\s<>,;:\"'()\[\]\\]+@([^@\s<>,;:\"'()\[\]\\]+)")


@dataclass(frozen=True)
class MailReply:
    """Tells people by mail what came of an item; the mail goes through the server of the `MAIL_` settings.

    - `name`: its name in its pipeline.
    - `to`: who gets it: addresses with commas between. Names in braces are filled in, and then `domains` are needed.
    - `to_at`: instead of that, where a message says its address: a path in its envelope or arguments. A message that
      says none is answered by nobody.
    - `domains`: the domains that an address which comes from a message may have.
    - `subject`: its first line; `{key}`, `{pipeline}`, `{status}`, `{reason}`, `{address}` and paths into the item's
      arguments are filled in. What is missing is left out.
    - `text`: what it says, filled in like the subject.
    """

    name: str
    to: str = ""
    to_at: str = ""
    domains: Sequence[str] = ()
    subject: str = SUBJECT
    text: str = TEXT

    beat_seconds = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: there is no recipient, or there are two kinds; or no domain is allowed.
        """
        if bool(self.to) == bool(self.to_at):
            raise BadSetting("to", self.to or None, "give either to, or to_at with domains")
        for option in ("to", "subject", "text"):
            names_in(option, getattr(self, option))
        check_texts("domains", self.domains)
        if self._is_from_message and not self.domains:
            raise BadSetting("domains", None, DOMAINS_HELP)
        if not self._is_from_message and not all(map(_ADDRESS.fullmatch, _split(self.to))):
            raise BadSetting("to", self.to, "give mail addresses such as anna@example.org, with commas between")

    @property
    def _is_from_message(self) -> bool:
        return bool(self.to_at) or has_names(self.to)

    @property
    def requires(self) -> Sequence[Need]:
        """The mail server."""
        return (ServiceNeed(f"the mail server of the reply {self.name}", self.look, ("MAIL_HOST", "MAIL_FROM")),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Make sure that the mail server lets the user in and takes mails of the sender; nothing is sent.

        Raises:
            BadSetting, Unavailable: it is not given, cannot be reached, or says no.
        """
        server, sender = MailServer(settings), _check_sender(settings)
        try:
            server.look(sender)
        except NotSent as exc:
            fix = "correct the settings that begin with MAIL_, or start it"
            raise Unavailable(f"no mail can be sent by {server.address}: {exc}: {fix}") from exc
        return (f"the mail server at {server.address} takes mails from {sender}",)

    def open(self, settings: Settings) -> "MailSender":
        """Take the settings of mail; nothing is connected yet.

        Raises:
            BadSetting: the mail server or the sender is missing.
        """
        return MailSender(self, settings, MailServer(settings), _check_sender(settings))

    def recipients(self, answer: Answer) -> Sequence[str]:
        """Who gets the mail; nobody if nobody asked.

        Raises:
            Rejected: what the message says is no address, or lies in another domain than it may.
        """
        if self.to_at:
            given = found_in(self.to_at, answer.envelope, answer.args)
            if given is None:
                return ()
            found = [given] if isinstance(given, str) else [""]
        else:
            found = _split(filled(self.to, find_in(answer)))
        return [self._checked(one) for one in found] if self._is_from_message else found

    def _checked(self, address: str) -> str:
        parts = _ADDRESS.fullmatch(address)
        if parts is None:
            raise Rejected(f"{self.to_at or self.to} is no mail address such as anna@example.org")
        if parts[1].lower() not in [domain.lower() for domain in self.domains]:
            raise Rejected(f"{self.to_at or self.to} is in the domain {parts[1]}, none of {', '.join(self.domains)}")
        return address


class MailSender:
    """Sends replies by mail."""

    def __init__(self, reply: MailReply, settings: Settings, server: MailServer, sender: str) -> None:
        self._reply, self._settings, self._server, self._sender = reply, settings, server, sender

    def send(self, answer: Answer) -> None:
        """Send a mail, and return once the mail server has it.

        Raises:
            Skip: nobody asked.
            Unavailable: the mail server is away, or does not take it now.
            Rejected: it refuses the mail for good, or the message names whom it may not name.
        """
        to = self._reply.recipients(answer)
        if not to:
            raise Skip(NOBODY)
        try:
            refused = self._server.send(self._message(answer, to))
        except NotSent as exc:
            raise (Rejected if exc.final else Unavailable)(str(exc)) from exc
        for address, said in refused.items():
            log.warning("the reply on %s did not reach %s, but all others: %s", answer.key, address, said)

    def _message(self, answer: Answer, to: Sequence[str]) -> EmailMessage:
        redirect, find = self._settings.mail_redirect_to, find_in(answer)
        subject = " ".join(filled(self._reply.subject, find, missing="").split())
        text = filled(self._reply.text, find, missing="")
        text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        if redirect:
            text = f"A test deployment sent this; {', '.join(to)} would have got it.\n\n{text}"
        headers = {
            "Subject": subject[:LONGEST_SUBJECT],
            "From": self._sender,
            "To": ", ".join(redirect or to),
            "Date": format_datetime(datetime.now(timezone.utc)),
            "Message-ID": f"<{answer.id}@{self._sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
        }
        message = EmailMessage()
        for name, value in headers.items():
            message[name] = value
        message.set_content(text.encode("utf-8", "backslashreplace").decode("utf-8"))
        return message

    def beat(self, answer: Mapping[str, object]) -> None:
        """Nothing is told before the end."""

    def close(self) -> None:
        """Nothing is to be ended: each mail has a connection of its own."""


def _check_sender(settings: Settings) -> str:
    if settings.mail_from is None:
        raise BadSetting("MAIL_FROM", None, "give the address that mails are from")
    return settings.mail_from


def _split(addresses: str) -> list[str]:
    return [address.strip() for address in addresses.split(",") if address.strip()]
