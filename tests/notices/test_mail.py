"""Notices by email, at a real mail server: what a mail says, to whom, and in which thread."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.notices.channel import Undelivered
from janitor.notices.content import digest
from janitor.notices.mail import Mail
from janitor.settings import Settings
from tests.notices.contents import CONTENT, NOON
from tests.outside import Inbox


def mail(inbox: Inbox, **more: str) -> Mail:
    settings = {
        "MAIL_HOST": "localhost",
        "MAIL_PORT": str(inbox.port),
        "MAIL_FROM": "janitor@example.org",
        "MAIL_TO": "anna@example.org, bert@example.org",
        "MAIL_TLS": "none",
        **more,
    }
    return Mail(Settings.load(settings, dotenv=None))


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Give a mail server that accepts everything, without TLS."""
    with Inbox().open() as inbox:
        yield inbox


def test_a_mail_tells_all_as_text_and_as_html(inbox: Inbox) -> None:
    assert mail(inbox).send(CONTENT) == ""
    (found,) = inbox.mails
    assert found.to == ["anna@example.org", "bert@example.org"]
    assert found.message["Subject"] == "[Janitor] copy failed"
    assert (
        found.message["From"] == "janitor@example.org" and found.message["To"] == "anna@example.org, bert@example.org"
    )
    text, html = found.part("plain"), found.part("html")
    for piece in ("copy: failed: disk <full> & cold", "counts: rows 3", "12:00:01 INFO größer <b>", "host7"):
        assert piece in text
    assert "since: 2026-07-01 12:00:00 UTC" in text and "next run: 2026-07-01 13:00:00 UTC" in text
    assert "https://janitor.example.org/runs/9" in text and 'href="https://janitor.example.org/jobs/copy"' in html
    assert "disk &lt;full&gt; &amp; cold" in html and "größer &lt;b&gt;" in html
    assert "<b>" not in html and "<full>" not in html


def test_a_notice_s_mails_form_one_thread(inbox: Inbox) -> None:
    later = NOON + timedelta(hours=1)
    for change in ({}, {"kind": "repeated", "at": later}, {"kind": "ended", "at": later, "over": "run 10 succeeded"}):
        mail(inbox).send(replace(CONTENT, **change))  # type: ignore[arg-type]
    began, repeated, ended = (one.message for one in inbox.mails)
    assert began["Message-ID"] == "<janitor-1-7@example.org>" and began["References"] is None
    assert repeated["References"] == ended["References"] == repeated["In-Reply-To"] == began["Message-ID"]
    assert len({began["Message-ID"], repeated["Message-ID"], ended["Message-ID"]}) == 3
    assert [one["Subject"] for one in (repeated, ended)] == ["[Janitor] copy failed, still", "[Janitor] copy recovered"]
    assert "copy: run 10 succeeded" in inbox.mails[2].part("plain")
    assert "it was: failed: disk <full> & cold" in inbox.mails[2].part("plain")
    assert "<full>" not in inbox.mails[2].part("html")


def test_a_digest_is_one_mail_with_each_notice_whole(inbox: Inbox) -> None:
    other = replace(CONTENT, key="janitor-1-8", job="clean", log=["12:00:02 INFO swept"])
    other = replace(other, at=NOON + timedelta(seconds=1))
    assert mail(inbox).send(digest([CONTENT, other])) == "" and mail(inbox).send(digest([CONTENT, other])) == ""
    found, again = [one.message for one in inbox.mails]
    assert found["Subject"] == "[Janitor] 2 notices: copy failed, clean failed" and found["X-Priority"] == "2"
    assert found["Message-ID"] == again["Message-ID"] == "<janitor-1-7.2.janitor-1-8.digest.20260701120001@example.org>"
    assert found["References"] == "<janitor-1-7@example.org> <janitor-1-8@example.org>" and not found["In-Reply-To"]
    text, html = inbox.mails[0].part("plain"), inbox.mails[0].part("html")
    for piece in ("copy: failed: disk <full> & cold", "clean: failed: disk", "größer <b>", "12:00:02 INFO swept"):
        assert piece in text
    assert "disk &lt;full&gt; &amp; cold" in html and "swept" in html and "<b>" not in html
    assert text.index("clean failed") < text.index("größer <b>"), "what it is about stands first"


def test_a_test_deployment_s_mails_go_elsewhere_and_say_so(inbox: Inbox) -> None:
    mail(inbox, MAIL_REDIRECT_TO="carl@example.org").send(CONTENT)
    (found,) = inbox.mails
    assert found.to == ["carl@example.org"] and found.message["To"] == "carl@example.org"
    for kind in ("plain", "html"):
        assert "anna@example.org, bert@example.org would have got it" in found.part(kind)


def test_a_line_break_in_a_text_makes_no_header(inbox: Inbox) -> None:
    mail(inbox).send(replace(CONTENT, text="failed: a\r\nBcc: eve@example.org", error="a\r\n.\r\nQUIT"))
    (found,) = inbox.mails
    assert found.message["Bcc"] is None and len(found.to) == 2


@pytest.mark.parametrize(
    ("answer", "final"), [("451 try later", False), ("554 this is spam", True), ("550 not from here", False)]
)
def test_a_refusal_is_told_in_the_server_s_words(inbox: Inbox, answer: str, final: bool) -> None:
    inbox.answers = [answer]
    with pytest.raises(Undelivered, match=answer) as caught:
        mail(inbox).send(CONTENT)
    assert caught.value.final == final


def test_one_refused_recipient_is_remarked(inbox: Inbox) -> None:
    inbox.refused = ("anna@example.org",)
    assert mail(inbox).send(CONTENT) == "anna@example.org was refused: 550 no such mailbox"
    assert inbox.mails[0].to == ["bert@example.org"]
