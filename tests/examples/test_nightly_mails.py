"""The mails of the nightly report, at a real mail server: what arrives, how often, and what a refusal costs."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from examples.nightly_report import bakery, mails, tasks
from janitor import databases
from janitor.errors import Skip
from janitor.mail import NotSent
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.outside import Inbox

NIGHT = datetime(2026, 7, 8, 2, tzinfo=UTC)
DAYS = ["2026-07-06", "2026-07-07"]


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Path]:
    """A folder with the reports on two days."""
    url, folder = f"sqlite:///{tmp_path / 'bakery.db'}", tmp_path / "reports"
    with running(Run(started_at=NIGHT)):
        bakery.sell(url, days=2)
        tasks.report(url, str(folder), days=2)
    yield folder
    databases.dispose()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server."""
    with Inbox().open() as inbox:
        yield inbox


def mail(reports: Path, inbox: Inbox, dry_run: bool = False, **more: str) -> dict[str, int]:
    """Mail what was not mailed to two readers."""
    variables = {
        "MAIL_HOST": "localhost",
        "MAIL_PORT": str(inbox.port),
        "MAIL_TLS": "none",
        "MAIL_FROM": "bakery@example.org",
        "MAIL_TO": "anna@example.org,bert@example.org",
        **more,
    }
    with running(Run(started_at=NIGHT, dry_run=dry_run)):
        return mails.mail(Settings.load(variables, dotenv=None), str(reports))


def subjects(inbox: Inbox) -> list[str]:
    """The subjects of the mails that arrived."""
    return [str(mail.message["Subject"]) for mail in inbox.mails]


def test_each_report_goes_to_each_reader_once(reports: Path, inbox: Inbox) -> None:
    assert mail(reports, inbox) == {"mailed": 2, "refused": 0}
    with pytest.raises(Skip, match="each report of the last 7 days was mailed"):
        mail(reports, inbox)
    assert subjects(inbox) == [f"Sales of {day}" for day in DAYS]
    assert [found.to for found in inbox.mails] == [["anna@example.org", "bert@example.org"]] * 2


def test_a_mail_has_the_page_and_the_csv(reports: Path, inbox: Inbox) -> None:
    mail(reports, inbox)
    for found, day in zip(inbox.mails, DAYS, strict=True):
        assert found.part("html").split() == (reports / f"sales-{day}.html").read_text(encoding="utf-8").split()
        [attached] = found.message.iter_attachments()
        rows = list(csv.reader(attached.get_content().splitlines()))
        with (reports / f"sales-{day}.csv").open(encoding="utf-8", newline="") as file:
            assert rows == list(csv.reader(file)) and len(rows) == 5
        assert attached.get_filename() == f"sales-{day}.csv"


def test_without_a_mail_server_nothing_is_mailed(reports: Path) -> None:
    with running(Run(started_at=NIGHT)), pytest.raises(Skip, match="there is no mail server: give MAIL_HOST"):
        mails.mail(Settings.load({}, dotenv=None), str(reports))
    assert list(reports.glob("*.mailed")) == []


def test_the_next_run_sends_what_was_not_taken(reports: Path, inbox: Inbox) -> None:
    # Given two reports; the server takes the first mail and refuses the second; then only the second is sent again.
    inbox.answers = ["250 OK", "451 try later"]
    with pytest.raises(NotSent, match="451 try later"):
        mail(reports, inbox)
    assert [path.stem for path in reports.glob("*.mailed")] == ["sales-2026-07-06"]
    assert mail(reports, inbox) == {"mailed": 1, "refused": 0}
    assert subjects(inbox) == ["Sales of 2026-07-07"]


def test_a_refused_reader_is_counted_and_named(reports: Path, inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.refused = ("anna@example.org",)
    assert mail(reports, inbox) == {"mailed": 2, "refused": 2}
    assert [found.to for found in inbox.mails] == [["bert@example.org"]] * 2
    assert "anna@example.org does not get the report on 2026-07-06: 550 no such mailbox" in caplog.text


def test_a_test_deployment_mails_no_reader(reports: Path, inbox: Inbox) -> None:
    mail(reports, inbox, MAIL_REDIRECT_TO="test@example.org")
    assert [found.to for found in inbox.mails] == [["test@example.org"]] * 2


def test_a_dry_run_counts_and_mails_nothing(reports: Path, inbox: Inbox) -> None:
    assert mail(reports, inbox, dry_run=True) == {"mailed": 2, "refused": 0}
    assert inbox.mails == [] and mail(reports, inbox)["mailed"] == 2
