"""Mail at a real mail server: what arrives, over TLS or not, and what is said of a refusal."""

import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme

from janitor.errors import BadSetting
from janitor.mail import MailServer, NotSent
from janitor.settings import Settings
from tests.outside import Inbox

LOGIN = {"MAIL_USERNAME": "janitor", "MAIL_PASSWORD": "open sesame"}


def server(inbox: Inbox, **more: str) -> MailServer:
    variables = {"MAIL_HOST": "localhost", "MAIL_PORT": str(inbox.port), "MAIL_TLS": "none", **more}
    return MailServer(Settings.load(variables, dotenv=None))


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = "größer", "janitor@example.org"
    message["To"] = "anna@example.org, bert@example.org"
    message.set_content("one line")
    return message


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server that takes everything, without TLS."""
    with Inbox().open() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """A certificate authority that only the tests know."""
    return trustme.CA()


def context(ca: trustme.CA) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(made)
    return made


def test_a_mail_goes_to_everyone_it_names(inbox: Inbox) -> None:
    assert server(inbox).send(letter()) == {}
    (found,) = inbox.mails
    assert found.to == ["anna@example.org", "bert@example.org"]
    assert (found.message["Subject"], found.part("plain").strip()) == ("größer", "one line")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_mail_over_tls_with_a_login(kind: str, ca: trustme.CA, tmp_path: Path) -> None:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusted = {**LOGIN, "MAIL_TLS": kind, "MAIL_CA_FILE": str(tmp_path / "ca.pem")}
    over = {"starttls": context(ca)} if kind == "starttls" else {"tls": context(ca)}
    with Inbox().open(**over, login=True) as inbox:
        assert server(inbox, **trusted).send(letter()) == {}
        assert len(inbox.mails) == 1 and inbox.logins == [(b"janitor", b"open sesame")]
        with pytest.raises(NotSent, match="^no TLS with the mail server: unable to get local issuer"):
            server(inbox, **LOGIN, MAIL_TLS=kind).send(letter())
        with pytest.raises(NotSent, match="^the mail server refuses the user or the password") as caught:
            server(inbox, **{**trusted, "MAIL_PASSWORD": "wrong password"}).send(letter())
        assert "wrong password" not in str(caught.value) and len(inbox.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_that_is_rotated_needs_no_restart(ca: trustme.CA, tmp_path: Path) -> None:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "word").write_text("the old one", encoding="ascii")
    trusted = {"MAIL_USERNAME": "janitor", "MAIL_TLS": "tls", "MAIL_CA_FILE": str(tmp_path / "ca.pem")}
    with Inbox().open(tls=context(ca), login=True) as inbox:
        mails = server(inbox, **trusted, MAIL_PASSWORD_FILE=str(tmp_path / "word"))
        with pytest.raises(NotSent, match="^the mail server refuses the user or the password"):
            mails.send(letter())
        (tmp_path / "word").write_text("open sesame", encoding="ascii")
        assert mails.send(letter()) == {}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("user", "password"), [("janitor", "pässwörd-1"), ("jänitor", "open sesame")])
def test_a_login_beyond_ascii_goes_as_utf_8(user: str, password: str, ca: trustme.CA, tmp_path: Path) -> None:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    given = {"MAIL_USERNAME": user, "MAIL_TLS": "tls", "MAIL_CA_FILE": str(tmp_path / "ca.pem")}
    with Inbox().open(tls=context(ca), login=True) as inbox:
        assert server(inbox, **given, MAIL_PASSWORD=password).send(letter()) == {}
        assert inbox.logins == [(user.encode(), password.encode())]
        with pytest.raises(NotSent, match="^the mail server refuses the user or the password"):
            server(inbox, **given, MAIL_PASSWORD="falsch-ö").send(letter())


def test_a_server_without_starttls_gets_nothing(inbox: Inbox) -> None:
    with pytest.raises(NotSent, match="^the mail server cannot be used: STARTTLS extension not supported"):
        server(inbox, MAIL_TLS="starttls").send(letter())
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("answer", "final"),
    [("451 try later", False), ("552 too large", True), ("554 this is spam", True), ("550 not from here", False)],
)
def test_a_refusal_is_told_in_the_servers_words(inbox: Inbox, answer: str, final: bool) -> None:
    inbox.answers = [answer]
    with pytest.raises(NotSent, match=f"^the mail server said {answer}") as caught:
        server(inbox).send(letter())
    assert caught.value.final == final


def test_one_refused_recipient_costs_the_others_nothing(inbox: Inbox) -> None:
    inbox.refused = ("anna@example.org",)
    assert server(inbox).send(letter()) == {"anna@example.org": "550 no such mailbox"}
    assert inbox.mails[0].to == ["bert@example.org"]
    inbox.refused = ("anna@example.org", "bert@example.org")
    with pytest.raises(NotSent, match="refused every recipient: anna@example.org: 550 no such mailbox; bert"):
        server(inbox).send(letter())


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(NotSent, match="^the mail server cannot be reached: .*refused"):
        server(Inbox()).send(letter())


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_look_sends_nothing_and_meets_what_a_mail_would_meet(inbox: Inbox, ca: trustme.CA, tmp_path: Path) -> None:
    server(inbox).look("janitor@example.org")
    inbox.refused_senders = ("eva@example.org",)
    with pytest.raises(NotSent, match="^the mail server refuses the sender eva@example.org: 553 not one of ours$"):
        server(inbox).look("eva@example.org")
    with pytest.raises(NotSent, match="^the mail server cannot be reached: .*refused"):
        server(Inbox()).look("janitor@example.org")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusted = {**LOGIN, "MAIL_TLS": "tls", "MAIL_CA_FILE": str(tmp_path / "ca.pem")}
    with Inbox().open(tls=context(ca), login=True) as locked:
        server(locked, **trusted).look("janitor@example.org")
        with pytest.raises(NotSent, match="^the mail server refuses the user or the password"):
            server(locked, **{**trusted, "MAIL_PASSWORD": "wrong"}).look("janitor@example.org")
    assert inbox.mails == locked.mails == []


def test_a_missing_host_is_a_bad_setting() -> None:
    with pytest.raises(BadSetting, match="^MAIL_HOST is missing: give the mail server's host name"):
        MailServer(Settings.load({}, dotenv=None))


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("nothing", "it holds no certificate")])
def test_an_unreadable_ca_file_is_a_bad_setting(content: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadSetting, match=rf"^MAIL_CA_FILE is '.*ca.pem': give a PEM file .*{reason}"):
        server(Inbox(), MAIL_TLS="tls", MAIL_CA_FILE=str(path))
