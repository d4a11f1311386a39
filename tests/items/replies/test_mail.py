"""Replies by mail at a real mail server: what arrives, and to whom a message cannot have mail sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from janitor.errors import BadSetting, Rejected, Skip, Unavailable
from janitor.items.replies.mail import MailReply
from janitor.settings import Settings
from tests.items.answers import FAILURE, TOKEN, Kept, answer
from tests.outside import Inbox, Mail

ASKED = MailReply("person", to_at="mail", domains=["example.org", "Lab.example.org"])


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server that takes everything."""
    with Inbox().open() as inbox:
        yield inbox


def settings(inbox: Inbox, **more: str) -> Settings:
    given = {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(inbox.port), "MAIL_TLS": "none", "MAIL_FROM": "j@example.net"}
    return Settings.load(given | more, dotenv=None)


def send(inbox: Inbox, reply: MailReply, **changes: Any) -> None:
    sender = reply.open(settings(inbox))
    sender.send(answer(**changes))
    sender.beat({"key": "K7"})
    sender.close()


def text_of(mail: Mail) -> str:
    return mail.part("plain").replace("\r\n", "\n")


def test_a_person_is_told_of_a_failure(inbox: Inbox) -> None:
    send(inbox, MailReply("lab", to="anna@example.org, ben@example.org"), **FAILURE)
    (mail,) = inbox.mails
    message = mail.message
    assert mail.to == ["anna@example.org", "ben@example.org"]
    assert (message["Subject"], message["From"]) == ("analyses: K7 is too few cells", "j@example.net")
    assert text_of(mail) == "K7 of analyses is too few cells.\n\nit has 2 größe cells\n"
    assert message["Message-ID"] == "<analyses-41@example.net>" and message["Auto-Submitted"] == "auto-generated"


def test_subject_and_text_are_filled_in(inbox: Inbox) -> None:
    reply = MailReply("lab", "a@example.org", subject="{experimentId}\n{key}{nothing}", text="See {address}.")
    send(inbox, reply, content=Kept(b"x"))
    assert (inbox.mails[0].message["Subject"], text_of(inbox.mails[0])) == ("E5 K7", "See s3://results/K7.\n")
    assert TOKEN not in inbox.mails[0].message.as_string()


def test_whoever_asked_is_told(inbox: Inbox) -> None:
    send(inbox, ASKED, envelope={"mail": "eve@LAB.example.org"})
    send(inbox, ASKED, args={"mail": "dan@example.org"})
    with pytest.raises(Skip, match="^nobody asked by this way$"):
        send(inbox, ASKED)
    assert [mail.to for mail in inbox.mails] == [["eve@LAB.example.org"], ["dan@example.org"]]


@pytest.mark.parametrize(
    "given",
    [
        *("eve@evil.example", "eve@example.org.evil.example", "eve@evil-example.org", "eve", "", "@example.org"),
        *("eve@evil.example,dan@example.org", "eve@evil.example\r\nBcc: x@example.org", "<eve@example.org>", 7, ["a"]),
        *("eve@evil.example <dan@example.org>", "eve@sub.example.org"),
    ],
)
def test_a_message_cannot_have_mail_sent_elsewhere(given: Any, inbox: Inbox) -> None:
    with pytest.raises(Rejected, match="^mail is (no mail address such as|in the domain .*, none of example.org)"):
        send(inbox, ASKED, envelope={"mail": given})
    assert inbox.mails == []


@pytest.mark.parametrize("user", ["x@evil.example,y", "x y", "a@b"])
def test_a_name_that_is_filled_in_is_one_address(user: str, inbox: Inbox) -> None:
    reply = MailReply("lab", to="{user}@example.org", domains=["example.org"])
    send(inbox, reply, args={"user": "anna"})
    with pytest.raises(Rejected):
        send(inbox, reply, args={"user": user})
    assert [mail.to for mail in inbox.mails] == [["anna@example.org"]]


def test_a_test_deployment_sends_to_its_own(inbox: Inbox) -> None:
    sender = ASKED.open(settings(inbox, MAIL_REDIRECT_TO="tests@example.net"))
    sender.send(answer(envelope={"mail": "dan@example.org"}))
    (mail,) = inbox.mails
    assert mail.to == ["tests@example.net"]
    assert text_of(mail).startswith("A test deployment sent this; dan@example.org would have got it.\n\nK7 of")


@pytest.mark.parametrize(
    ("said", "kind"), [("451 try later", Unavailable), ("552 too large", Rejected), ("554 this is spam", Rejected)]
)
def test_a_refusal_waits_or_is_given_up(said: str, kind: type[Exception], inbox: Inbox) -> None:
    inbox.answers = [said]
    with pytest.raises(kind, match=f"^the mail server said {said}"):
        send(inbox, ASKED, envelope={"mail": "dan@example.org"})


def test_one_refused_recipient_is_told_in_the_log(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.refused = ("anna@example.org",)
    send(inbox, MailReply("lab", to="anna@example.org, ben@example.org"))
    assert inbox.mails[0].to == ["ben@example.org"]
    assert "the reply on K7 did not reach anna@example.org, but all others: 550 no such mailbox" in caplog.text


def test_a_server_that_is_away_lets_the_reply_wait() -> None:
    away = Inbox()
    with pytest.raises(Unavailable, match="^the mail server cannot be reached: .*refused"):
        send(away, ASKED, envelope={"mail": "dan@example.org"})
    with pytest.raises(Unavailable, match=rf"^no mail can be sent by 127.0.0.1:{away.port}: .*: correct the settings"):
        ASKED.look(settings(away))


def test_check_tells_of_the_mail_server(inbox: Inbox) -> None:
    told = settings(inbox)
    assert ASKED.look(told) == (f"the mail server at 127.0.0.1:{inbox.port} takes mails from {told.mail_from}",)
    inbox.refused_senders = (str(told.mail_from),)
    with pytest.raises(Unavailable, match="the mail server refuses the sender .*: 553 not one of ours: correct"):
        ASKED.look(told)
    for missing in ("MAIL_HOST", "MAIL_FROM"):
        with pytest.raises(BadSetting, match=f"^{missing} is missing"):
            ASKED.look(settings(inbox, **{missing: ""}))
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "to is missing: give either to, or to_at with domains"),
        ({"to": "a@b.c", "to_at": "mail"}, "to is 'a@b.c': give either to"),
        ({"to_at": "mail"}, "domains is missing: give the domains"),
        ({"to": "{user}@example.org"}, "domains is missing: give the domains"),
        ({"to": "anna"}, "to is 'anna': give mail addresses such as anna@example.org"),
        ({"to": "a@b.c", "text": "{"}, "text is '{': give names in braces"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        MailReply("lab", **options)
    assert str(caught.value).startswith(says)
