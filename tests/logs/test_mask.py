"""The mask: no form of a secret stays in a text, and ordinary words do."""

import io
import json
import logging

from janitor.logs.formats import JsonFormatter
from janitor.logs.mask import Mask, mask_for
from janitor.runs import Run, running
from janitor.settings import Settings
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


def test_a_short_password_leaves_words_alone() -> None:
    assert Mask(["guest"])("a guest") == "a guest"
