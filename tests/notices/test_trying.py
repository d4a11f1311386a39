"""What `notices test` does: each channel and each watcher is tried, and each has its line."""

from tests.command_line import CommandLine
from tests.outside import Hooks, Inbox


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
