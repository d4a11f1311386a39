"""Exchanges: which jobs publish to them, and whether what stands in for a broker is there."""

from pathlib import Path

from janitor.checks.exchange import needs_of, of_exchange
from janitor.checks.finding import Finding
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, ExchangeNeed, Need
from janitor.settings import Settings
from tests.messages import settings_for
from tests.servers import Broker, free_port

NEED = ExchangeNeed("HISTORY_DAYS")
"""The exchange is named 90, as this setting is."""


def job(name: str, *needs: Need) -> Job:
    return Job(name, print, (), {}, schedules.every(300), needs=needs)


def test_each_exchange_has_the_names_of_its_jobs() -> None:
    lab, other = ExchangeNeed("LAB_EXCHANGE", schema=("x", "y")), ExchangeNeed("OTHER_EXCHANGE", type="topic")
    jobs = [job("a", lab), job("b", DatabaseNeed("LAB_DATABASE_URL")), job("c", other, lab)]
    assert needs_of(jobs) == {ExchangeNeed("LAB_EXCHANGE"): "a, c", other: "c"}


def test_a_folder_for_messages_is_looked_at(tmp_path: Path) -> None:
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path / "out")}, None)
    text = f"MESSAGES_DIR: the folder {tmp_path / 'out'} for messages exists, can be written (a, b)"
    assert list(of_exchange(settings, NEED, "a, b", declare=False)) == [Finding("ok", text)]


def test_a_folder_that_cannot_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = of_exchange(Settings.load({"MESSAGES_DIR": str(tmp_path / "file")}, None), NEED, "a", declare=False)
    assert found.verdict == "WRONG" and found.text.startswith("MESSAGES_DIR: cannot write")


def test_a_broker_that_is_away_is_wrong() -> None:
    settings = Settings.load({"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}, None)
    (found,) = of_exchange(settings, NEED, "a", declare=False)
    assert found.verdict == "WRONG" and found.text.startswith("HISTORY_DAYS: cannot connect to RabbitMQ at 127.0.0.1:")


def test_each_host_of_a_broker_is_looked_at(rabbitmq: Broker) -> None:
    # Given: a broker of two hosts, of which one is away, and an exchange that is declared on demand.
    # What happens: it is looked at before and after. What must hold: each host has a finding of its own.
    hosts = f"127.0.0.1:{rabbitmq.port}, 127.0.0.1:{free_port()}"
    settings, need = settings_for(rabbitmq, RABBITMQ_HOST=hosts), ExchangeNeed("HISTORY_DAYS", type="topic")
    missing, away = of_exchange(settings, need, "a", declare=False)
    assert (missing.verdict, away.verdict) == ("WRONG", "WRONG")
    assert "declare it once as durable and topic" in missing.text and "cannot connect" in away.text
    found, away = of_exchange(settings, need, "a", declare=True)
    assert (found.verdict, away.verdict) == ("ok", "WRONG")
    assert f"RabbitMQ at 127.0.0.1:{rabbitmq.port}, virtual host '/': exists, topic, durable, not enc" in found.text
    with rabbitmq.channel() as channel:
        channel.exchange_delete(str(settings.value("HISTORY_DAYS")))


def test_a_host_that_is_none_is_wrong() -> None:
    (found,) = of_exchange(Settings.load({"RABBITMQ_HOST": "amqp://lab"}, None), NEED, "a", declare=False)
    assert "RABBITMQ_HOST is 'amqp://lab': give a host" in found.text
