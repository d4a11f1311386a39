"""Exchanges: which jobs publish to them, and whether what stands in for a broker is there."""

from pathlib import Path

from janitor.checks.exchange import exchanges_of, of_exchange
from janitor.checks.finding import Finding
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, ExchangeNeed, Need
from janitor.settings import Settings
from tests.servers import free_port


def job(name: str, *needs: Need) -> Job:
    return Job(name, print, (), {}, schedules.every(300), needs=needs)


def test_each_exchange_has_the_names_of_its_jobs() -> None:
    lab, other = ExchangeNeed("LAB_EXCHANGE"), ExchangeNeed("OTHER_EXCHANGE")
    jobs = [job("a", lab), job("b", DatabaseNeed("LAB_DATABASE_URL")), job("c", other, lab)]
    assert exchanges_of(jobs) == {"LAB_EXCHANGE": "a, c", "OTHER_EXCHANGE": "c"}


def test_a_folder_for_messages_is_looked_at(tmp_path: Path) -> None:
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path / "out")}, None)
    text = f"MESSAGES_DIR: the folder {tmp_path / 'out'} for messages exists, can be written (a, b)"
    assert list(of_exchange(settings, "HISTORY_DAYS", "a, b", declare=False)) == [Finding("ok", text)]


def test_a_folder_that_cannot_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = of_exchange(Settings.load({"MESSAGES_DIR": str(tmp_path / "file")}, None), "X", "a", declare=False)
    assert found.verdict == "WRONG" and found.text.startswith("MESSAGES_DIR: cannot write")


def test_a_broker_that_is_away_is_wrong() -> None:
    settings = Settings.load({"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}, None)
    (found,) = of_exchange(settings, "HISTORY_DAYS", "a", declare=False)
    assert found.verdict == "WRONG" and found.text.startswith("HISTORY_DAYS: cannot connect to RabbitMQ at 127.0.0.1:")
