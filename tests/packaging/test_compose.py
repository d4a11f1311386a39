"""compose.yaml: servers that are ready, settings that exist, the least rights, and ports only on loopback."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

import run
from janitor.settings import Settings
from tests.command_line import ROOT
from tests.packaging.checkout import read
from tests.packaging.image import last
from tests.servers import Broker, MariaDB

EXCHANGE = "sequencing_run_status"
INSPECT = "sequencing_run_status.inspect"


def compose() -> dict[str, Any]:
    """Read compose.yaml."""
    found: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return found


def test_compose_waits_for_servers_that_are_ready() -> None:
    services = compose()["services"]
    assert {"janitor", "mysql", "rabbitmq"} <= set(services)
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            wanted = "service_healthy" if "healthcheck" in services[name] else "service_completed_successfully"
            assert wait["condition"] == wanted
    assert "state:/app/var" in services["janitor"]["volumes"]
    assert {volume.split(":")[0] for volume in services["janitor"]["volumes"]} <= set(compose()["volumes"])


def test_compose_gives_settings_that_janitor_reads() -> None:
    given = compose()["services"]["janitor"]["environment"]
    filled = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()}
    settings = Settings.load(filled, dotenv=None, of_tasks=run.SETTINGS_OF_TASKS)
    assert settings.needed("LABWHERE_DATABASE_URL").password == "local-janitor"
    assert settings.rabbitmq_host == "rabbitmq"
    # The published port is the port it listens on, outside the container too, and an operator may sign in there.
    assert f":{settings.web_port}" in compose()["services"]["janitor"]["ports"][0].rpartition("}")[2]
    assert settings.web_host == "0.0.0.0" and settings.web_operator_token and settings.web_enabled
    assert last("EXPOSE").rest == str(settings.web_port)
    assert given.keys() <= settings.known.keys()


def test_compose_outwaits_the_grace_of_janitor() -> None:
    stated = compose()["services"]["janitor"]["stop_grace_period"]
    assert int(stated.removesuffix("s")) > Settings.load({}, dotenv=None).grace_seconds


def test_compose_mounts_files_that_exist() -> None:
    volumes = [volume for service in compose()["services"].values() for volume in service.get("volumes", [])]
    mounted = [volume.split(":")[0] for volume in volumes if volume.startswith("./")]
    assert len(mounted) == 3
    assert [name for name in mounted if not (ROOT / name).exists()] == []


def test_compose_publishes_ports_on_loopback_only() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """Give a server of this test's own: the init script makes databases with their real names."""
    if "JANITOR_TEST_MYSQL_URL" in os.environ:
        pytest.skip("this test needs a MariaDB server of its own, and one was given by URL")
    server = MariaDB()
    try:
        server.start()
        yield server
    finally:
        server.close()


def test_compose_databases_grant_the_least(own_mariadb: MariaDB, tmp_path: Path) -> None:
    own_mariadb.execute("CREATE USER 'janitor'@'%' IDENTIFIED BY 'secret'")
    client = tmp_path / "mysql"
    program = shutil.which("mariadb")
    options = f"--no-defaults --socket={own_mariadb.socket}"
    client.write_text(f'#!/bin/sh\nexec "{program}" {options} "$@"\n')
    client.chmod(0o755)
    given = {"MYSQL_ROOT_PASSWORD": "", "MYSQL_USER": "janitor", "SCHEMAS": str(ROOT / "janitor/demo/schemas")}
    environment = os.environ | given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(ROOT / "deploy/mysql_init.sh")], env=environment, check=True)
    user = pymysql.connect(host="127.0.0.1", port=own_mariadb.port, user="janitor", password="secret")
    with user, user.cursor() as cursor:
        for table in ("labwhere.audits", "mlwh_events.events", "mlwh.iseq_run_status", "mlwh.labware_location"):
            assert cursor.execute(f"SELECT * FROM {table}") == 0
        assert cursor.execute("DELETE FROM mlwh.labware_location") == 0
        with pytest.raises(pymysql.err.OperationalError, match="DELETE command denied"):
            cursor.execute("DELETE FROM mlwh.sample")
        with pytest.raises(pymysql.err.OperationalError, match="command denied"):
            cursor.execute("DELETE FROM labwhere.audits")


@pytest.mark.slow
def test_compose_exchange_routes_to_a_queue(rabbitmq: Broker) -> None:
    rabbitmq.ctl("import_definitions", str(ROOT / "deploy/rabbitmq_definitions.json"))
    with rabbitmq.channel() as channel:
        try:
            channel.exchange_declare(EXCHANGE, "fanout", durable=True)
            channel.confirm_delivery()
            channel.basic_publish(EXCHANGE, "", b"a status", mandatory=True)
            assert channel.basic_get(INSPECT, auto_ack=True)[2] == b"a status"
        finally:
            channel.queue_delete(INSPECT)
            channel.exchange_delete(EXCHANGE)
