"""The workflows: they check what CI checks, and release only after that."""

import subprocess
from typing import Any

import pytest
import yaml

from tests.packaging.checkout import read


def workflow(name: str) -> dict[Any, Any]:
    """Read a workflow."""
    found: dict[Any, Any] = yaml.safe_load(read(f".github/workflows/{name}.yml"))
    return found


def commands(job: dict[str, Any]) -> list[str]:
    """List the commands of a job."""
    return [step["run"] for step in job["steps"] if "run" in step]


def test_workflow_checks_what_ci_checks() -> None:
    job = workflow("checks")["jobs"]["checks"]
    assert "bash .ci/run" in commands(job)
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_release_waits_for_the_checks() -> None:
    made = workflow("release")
    # YAML reads a bare `on` as true.
    assert made[True] == {"push": {"branches": ["main", "develop"]}}
    assert made["jobs"]["checks"]["uses"] == "./.github/workflows/checks.yml"
    assert made["jobs"]["release"]["needs"] == "checks"
    script = "\n".join(commands(made["jobs"]["release"]))
    assert "cat .release-version" in script
    assert "docker push" in script
    assert "gh release create" in script


@pytest.mark.parametrize("name", ["checks", "release"])
def test_workflow_steps_are_sound_bash(name: str) -> None:
    jobs = [job for job in workflow(name)["jobs"].values() if "steps" in job]
    found = [command for job in jobs for command in commands(job)]
    assert found
    for command in found:
        checked = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True)
        assert checked.stderr == ""
