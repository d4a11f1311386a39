"""The mask: no form of a secret stays in a text, and ordinary words do."""

import io
import json
import logging
import pickle
from typing import Any

import pytest

from janitor.logs.formats import JsonFormatter
from janitor.logs.mask import Mask, mask_for
from janitor.runs import Run, running
from janitor.settings import Settings
from janitor.settings.database_urls import URL_HELP
from tests.logs.logged import logging_to, said

SECRET = 'p"s\\w/ö rd'


def test_no_form_of_a_secret_gets_through() -> None:
    settings = Settings.load(
        {
            "MLWH_DATABASE_URL": "mysql+pymysql://me:p%22s%5cw%2f%C3%B6%20rd@db/mlwh",
            "RABBITMQ_PASSWORD": "rabbit-pass",
        },
        None,
    )
    url = settings.needed("MLWH_DATABASE_URL")
    assert url.password == SECRET
    mask = mask_for(settings)
    stream = io.StringIO()
    run_log = logging_to(stream, mask)
    run_log.open(7)
    shown = [SECRET, repr(SECRET), json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), "rabbit-pass"]
    shown += [url.render_as_string(False), settings.environ["MLWH_DATABASE_URL"]]
    with running(Run(id=7)):
        for text in shown:
            logging.getLogger("x").error("it has %s in it", text, exc_info=ValueError(text))
    record = logging.makeLogRecord({"msg": " ".join(shown), "facts": {"secret": SECRET}})
    kept = "".join(said(run_log, 7)) + stream.getvalue() + JsonFormatter(mask).format(record)
    for part in ("s\\w", "s\\\\w", "%5C", "%5c", "rabbit-pass", "rd@db"):
        assert part not in kept.replace("***@db", ""), part


def test_a_short_password_leaves_longer_words_alone() -> None:
    mask = Mask(["guest", "abc", "true"])
    assert mask("a guest, guests, guest7 and abc: true") == "a ***, guests, guest7 and abc: true"


def test_a_default_is_no_secret() -> None:
    assert mask_for(Settings.load({"RABBITMQ_PASSWORD": "guest"}, None))("a guest") == "a guest"
    assert mask_for(Settings.load({"RABBITMQ_PASSWORD": "ghost"}, None))("a ghost") == "a ***"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("at mysql+pymysql://u:p%40ss@host:3306/db?x=1", "at mysql+pymysql://***@host:3306/db?x=1"),
        ("mysql+pymysql://u:p@ss/w0rd#1@host/db", "mysql+pymysql://***@host/db"),
        ("amqp://u:p?a/b@host, amqp://u@host", "amqp://***@host, amqp://***@host"),
        ("<https://u:pa@ss@host/x>", "<https://***@host/x>"),
        ("https://u:pa/ss@host/x", "https://***@host/x"),
        ("sftp://anna@host/x", "sftp://***@host/x"),
        ("see mysql%2Bpymysql%3A%2F%2Fu%3Apass%40host", "see mysql%2Bpymysql%3A%2F%2F***%40host"),
        ('{"a":"http://a/b","c":"me@d"}', '{"a":"http://a/b","c":"me@d"}'),
        (
            "http://host:8080/x@y and http://host/@me and me@host",
            "http://host:8080/x@y and http://host/@me and me@host",
        ),
        ("sqlite:////srv/a@b.db", "sqlite:////srv/a@b.db"),
        (f"{URL_HELP} mysql://u:p@h", f"{URL_HELP} mysql://***@h"),
    ],
)
def test_who_signs_in_at_a_url_is_masked(text: str, masked: str) -> None:
    assert Mask()(text) == masked


def test_a_long_text_is_searched_in_time_that_follows_its_length() -> None:
    # Each :// in a text of a task's own making may begin a URL. Looking to the end of the text from each takes minutes.
    urls = ",".join(f"mysql://host:1/{number}" for number in range(50_000))
    for text in ("a" * 1_000_000 + "://@", "://a" * 250_000 + " @", "x@" + "a:" * 500_000, f"@ {urls}", f"x@y,{urls}"):
        assert len(Mask()(text)) >= len(text) - 1
    assert Mask()(text := "%40" + "%3A%2F%2Fa" * 100_000) == text
    assert Mask()("http://h:80/" * 100_000 + "@") == "http://h:80/" * 100_000 + "@"
    assert Mask()("://a" * 250_000 + "@host") == "://***@host"


def test_a_secret_that_is_taken_later_is_masked_from_then_on() -> None:
    settings = Settings.load({"LAB_KEY": "wJalrXUtnFEMI", "REGION": "north"}, None)
    mask = mask_for(settings)
    assert mask("it has wJalrXUtnFEMI in north") == "it has wJalrXUtnFEMI in north"
    settings.keep_secret("LAB_KEY", "wJalrXUtnFEMI")
    assert mask("it has wJalrXUtnFEMI in north") == "it has *** in north"
    copy = pickle.loads(pickle.dumps(settings))
    assert mask_for(copy)("it has wJalrXUtnFEMI") == "it has ***"


def test_a_value_stays_json_without_its_secrets() -> None:
    mask = Mask(["1234", "sesame"])
    assert mask.value({"sesame": [1234, 12345, True, None, ("sesame!",)]}) == {
        "***": ["***", 12345, True, None, ["***!"]]
    }
    assert json.loads(mask.json('{"at": 1234, "é": "a sesame"}')) == {"at": "***", "é": "a ***"}


def test_a_json_line_stays_json_whatever_is_masked() -> None:
    record = logging.makeLogRecord({"msg": "it has 2026", "levelname": "INFO", "facts": {"rows": 2026, "ok": True}})
    line = json.loads(JsonFormatter(Mask(["2026", "info"])).format(record))
    assert (line["event"], line["rows"], line["ok"], line["level"]) == ("it has ***", "***", True, "info")


def test_a_value_of_any_depth_is_masked() -> None:
    deep: Any = "sesame!"
    for _ in range(5_000):
        deep = {"in": [deep]}
    masked = Mask(["sesame!"]).value({"deep": deep, "key": "sesame!"})
    assert masked["key"] == "***" and "sesame" not in json.dumps(masked)
