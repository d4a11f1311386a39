"""The scripts: sound Bash, and they refuse what they cannot do."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.command_line import ROOT
from tests.packaging.checkout import read

SCRIPTS = [
    "forlint.sh",
    "docs.sh",
    "test.sh",
    "demo.sh",
    ".ci/run",
    *(f"deploy/{p.name}" for p in ROOT.glob("deploy/*.sh")),
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_sound_bash(script: str) -> None:
    checked = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert os.access(ROOT / script, os.X_OK) == (script != "deploy/environment.sh")


def test_ci_runs_checks_site_suite_and_demo() -> None:
    lines = read(".ci/run").splitlines()
    commands = [line.partition(" >")[0] for line in lines if line.startswith("./")]
    assert commands == ["./forlint.sh --check", "./docs.sh", "./test.sh --no-cov", "./demo.sh --seconds 15"]
    assert "set -euo pipefail" in lines and lines[-1] == 'exit "$code"'


def test_forlint_refuses_what_it_does_not_know() -> None:
    refused = subprocess.run([str(ROOT / "forlint.sh"), "--chekc"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr == "forlint.sh: takes no argument but --check, and got: --chekc\n"


def test_scripts_refuse_an_old_interpreter(tmp_path: Path) -> None:
    old = tmp_path / "python-of-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = subprocess.run(
        [str(ROOT / "demo.sh")], env=os.environ | {"PYTHON": str(old)}, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert refused.stderr == f"demo.sh: PYTHON={old} does not start a CPython of version 3.11 or later\n"
