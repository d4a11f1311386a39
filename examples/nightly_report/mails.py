"""The second task: send each report by mail, if there is a mail server."""

import logging
from datetime import date
from email.message import EmailMessage
from email.utils import format_datetime

from examples.nightly_report.tasks import last_days, path_of
from janitor.errors import Skip
from janitor.mail import MailServer
from janitor.runs import current_run
from janitor.settings import Settings

log = logging.getLogger(__name__)


def mail(settings: Settings, folder: str, days: int = 7) -> dict[str, int]:
    """Mail each report on the last `days` days that was not mailed; return how many, and how many readers were refused.

    An empty file `sales-DAY.mailed` marks a report that was mailed. If a run is cut off between a mail and its mark,
    the next run sends that mail again.

    Raises:
        Skip: there is no mail server, or each report was mailed.
        NotSent: nobody gets a report. The next run sends it.
    """
    if settings.mail_host is None:
        raise Skip("there is no mail server: give MAIL_HOST")
    settings.check_mail()
    run, server, refused = current_run(), MailServer(settings), 0
    written = [day for day in last_days(days) if path_of(folder, day, "html").exists()]
    wanted = [day for day in written if not path_of(folder, day, "mailed").exists()]
    if not wanted:
        raise Skip(f"each report of the last {days} days was mailed")
    for number, day in enumerate(wanted, 1):
        if not run.dry_run:
            answers = server.send(_message(settings, folder, day))
            path_of(folder, day, "mailed").touch()
            for reader, answer in answers.items():
                log.warning("%s does not get the report on %s: %s", reader, day, answer)
            refused += len(answers)
        run.progress(number, len(wanted), note=str(day))
    return {"mailed": len(wanted), "refused": refused}


def _message(settings: Settings, folder: str, day: date) -> EmailMessage:
    """The report as a page in the mail, with the CSV attached."""
    csv = path_of(folder, day, "csv")
    message = EmailMessage()
    message["Subject"] = f"Sales of {day}"
    message["From"] = settings.mail_from
    message["To"] = ", ".join(settings.mail_redirect_to or settings.mail_to or ())
    message["Date"] = format_datetime(current_run().started_at)
    message.set_content(f"The sales of {day} are in {csv.name}.")
    message.add_alternative(path_of(folder, day, "html").read_text(encoding="utf-8"), subtype="html")
    message.add_attachment(csv.read_text(encoding="utf-8"), subtype="csv", filename=csv.name)
    return message
