"""The image's process 1: what the Dockerfile starts, and what the trial of an image finds out about it."""

import os
import shutil
from pathlib import Path

import pytest

from deploy import dockerfile
from deploy.dockerfile import ReplayError
from deploy.image import Image
from deploy.trial import try_init
from tests.command_line import ROOT


def test_process_1_of_the_image_is_an_init() -> None:
    *_, last = dockerfile.parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    (entrypoint,) = [step.argv for step in last.steps if step.keyword == "ENTRYPOINT"]
    assert entrypoint == ["tini", "--", "python", "run.py"]
    assert "COPY /usr/bin/tini-static /usr/bin/tini" in [f"{step.keyword} {step.rest}" for step in last.steps]
    # An init beside it would do no harm, but two files would say two things.
    assert "\n    init:" not in (ROOT / "compose.yaml").read_text(encoding="utf-8")


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="process 1 needs a namespace, and that needs root"
)


@needs_root
def test_python_as_process_1_is_found_wanting() -> None:
    # Given: this machine as the image, without an init. What happens: the trial. What must hold: it sees that
    # an orphan stays a zombie.
    image = Image(Path("/"), env={"PATH": os.environ["PATH"]}, entrypoint=("python", "run.py"))
    with pytest.raises(ReplayError, match="does not reap orphans"):
        try_init(image)


@needs_root
def test_a_small_init_passes_the_trial(tmp_path: Path) -> None:
    tini = shutil.which("tini-static") or shutil.which("tini")
    if tini is None:
        pytest.skip("this machine has no tini")
    try_init(Image(Path("/"), env={"PATH": os.environ["PATH"]}, entrypoint=(tini, "--", "python", "run.py")))
