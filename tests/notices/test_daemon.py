"""The real daemon: one notice when a job fails, one when it recovers, even if the daemon is killed between."""

import signal
import socket
from pathlib import Path

from tests.command_line import WAIT_SECONDS, CommandLine, wait_for
from tests.outside import Inbox


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
