"""The real daemon: one notice when a job fails, one when it recovers, even if the daemon is killed between."""

import signal
import socket
from pathlib import Path

import pytest

from tests.command_line import WAIT_SECONDS, CommandLine, wait_for
from tests.outside import Hooks, Inbox


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of a daemon with one job."""
    settings = {
        "MAIL_HOST": "127.0.0.1",
        "MAIL_TLS": "none",
        "MAIL_FROM": "janitor@example.org",
        "MAIL_TO": "anna@example.org",
        "NOTICE_CHECK_SECONDS": "0.1",
        "NOTICE_RULES": "failed recovered",
        "BROKEN": str(tmp_path / "broken"),
        "WEB_ENABLED": "false",
    }
    return CommandLine(tmp_path, ("-m", "tests.notices.small_house"), settings)


def test_kill_9_before_the_delivery_costs_and_repeats_nothing(janitor: CommandLine, tmp_path: Path) -> None:
    """Given: a job that fails, and a mail server that accepts connections and says nothing.

    Happens: the daemon is killed while it delivers; it starts again with a working mail server; the job recovers.
    Must hold: exactly two mails come, and the second belongs to the first's thread.
    """
    broken = tmp_path / "broken"
    broken.touch()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        inbox = Inbox(silent.getsockname()[1])
        mail = {"MAIL_PORT": str(inbox.port)}
        with janitor.started("start", **mail) as daemon:
            silent.settimeout(WAIT_SECONDS)
            with silent.accept()[0]:
                daemon.send_signal(signal.SIGKILL)
                daemon.communicate(timeout=WAIT_SECONDS)
    (open_notice,) = janitor("notices", "--json", **mail).json["notices"]
    assert (open_notice["job"], open_notice["rule"]) == ("copy", "failed")
    with inbox.open(), janitor.started("start", **mail) as daemon:
        wait_for(lambda: inbox.mails)
        broken.unlink()
        wait_for(lambda: len(inbox.mails) == 2)
        assert janitor.stopped(daemon).code == 0
    assert [one.message["Subject"] for one in inbox.mails] == ["[Janitor] copy failed", "[Janitor] copy recovered"]
    began = inbox.mails[0].part("plain")
    assert "copy: failed" in began and "OSError: the disk is full" in began and "INFO started" in began
    assert inbox.mails[1].message["References"] == inbox.mails[0].message["Message-ID"]


def test_each_channel_is_tried_and_told_of_on_a_line(janitor: CommandLine) -> None:
    with Inbox().open() as inbox, Hooks(answers=[404]).open() as hooks:
        tried = janitor(
            "notices",
            "test",
            COPY_PING_URL=f"{hooks.url}/ping",
            MAIL_PORT=str(inbox.port),
            SLACK_URL=f"{hooks.url}/services/secret",
            PAGERDUTY_KEY="0123456789",
            PAGERDUTY_URL=f"{hooks.url}/v2/enqueue",
        )
    assert tried.code == 1 and tried.lines == [
        f"ok      email to anna@example.org through 127.0.0.1:{inbox.port}",
        "failed  slack to localhost: it answered 404: so it is",
        "ok      pagerduty to localhost",
        "ok      ping of copy",
    ]
    assert inbox.mails[0].message["Subject"] == "[Janitor] janitor sends a test notice"
    assert hooks.paths == ["/services/secret", "/v2/enqueue", "/ping/log"]
    assert hooks.requests[1].json["event_action"] == "resolve"


def test_without_a_channel_the_test_says_so(janitor: CommandLine) -> None:
    ended = janitor("notices", "test", MAIL_HOST="")
    assert ended.code == 2 and "none is set; give one or more of MAIL_HOST" in ended.err


def test_a_bad_rule_stops_the_start(janitor: CommandLine) -> None:
    ended = janitor("start", COPY_NOTICE_RULES="broken")
    assert ended.code == 2 and ended.err.count("\n") == 1
    assert ended.err.startswith("janitor: COPY_NOTICE_RULES is 'broken': there is no rule broken; give some of failed,")
