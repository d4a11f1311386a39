"""The image: who runs in it, how it starts and stops, and what it is made of."""

import re

import pytest

from deploy import dockerfile
from tests.command_line import ROOT
from tests.packaging.checkout import read
from tests.packaging.image import last, stages


def test_image_runs_as_nobody_in_particular() -> None:
    # Group 0 has no rights of its own. OpenShift runs an image as any user of it.
    assert re.fullmatch(r"[1-9]\d*:0", last("USER").rest)
    after = [step.keyword for step in stages()[-1].steps]
    assert "RUN" not in after[after.index("USER") :]


def test_image_starts_the_daemon_without_a_shell() -> None:
    # tini is process 1: it reaps orphans, and passes SIGTERM on from the first instruction.
    assert last("ENTRYPOINT").argv == ["tini", "--", "python", "run.py"]
    assert last("CMD").argv == ["start"]
    assert dockerfile.exec_form(last("ENTRYPOINT"))
    assert last("STOPSIGNAL").rest == "SIGTERM"


def test_image_asks_the_daemon_for_its_health() -> None:
    assert last("HEALTHCHECK").rest == 'CMD ["python", "run.py", "health"]'
    assert {"interval", "timeout", "start-period", "retries"} == set(last("HEALTHCHECK").flags)


def test_image_keeps_its_state_on_a_volume() -> None:
    assert last("VOLUME").rest == "/app/var"


def test_image_is_locked_and_has_no_dev_packages() -> None:
    text = read("Dockerfile")
    assert "pipenv install --deploy" in text
    assert "--dev" not in text
    assert [stage.base for stage in stages()] == ["python:3.13-slim"] * 2
    assert re.findall(r"pipenv==\S+", text) == [re.findall(r'"(pipenv==\S+)"', read("deploy/environment.sh"))[0]]


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("run.py", False),
        ("Pipfile.lock", False),
        (".release-version", False),
        ("janitor/state/run_records.py", False),
        ("janitor/tasks/labware_location/select_labwares.sql", False),
        ("janitor/state/__pycache__/run_records.cpython-311.pyc", True),
        (".env", True),
        ("var/janitor.db", True),
        ("tests/test_run.py", True),
        (".git/config", True),
    ],
)
def test_image_is_made_of_the_code_alone(path: str, out: bool) -> None:
    assert dockerfile.ignored(path, dockerfile.read_rules(ROOT)) is out
