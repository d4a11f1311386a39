"""The image's process 1: what the Dockerfile starts, and what the trial of an image finds out about it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from deploy import dockerfile
from deploy.dockerfile import ReplayError
from deploy.image import Image
from deploy.trial import try_init, try_writing
from tests.command_line import ROOT


def test_process_1_of_the_image_is_an_init() -> None:
    *_, last = dockerfile.parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    (entrypoint,) = [step.argv for step in last.steps if step.keyword == "ENTRYPOINT"]
    assert entrypoint == ["tini", "--", "python", "run.py"]
    assert "COPY /usr/bin/tini-static /usr/bin/tini" in [f"{step.keyword} {step.rest}" for step in last.steps]
    # An init beside it would do no harm, but two files would say two things.
    assert "\n    init:" not in (ROOT / "compose.yaml").read_text(encoding="utf-8")


def test_the_image_s_folder_is_group_0_s() -> None:
    first, *_, last = dockerfile.parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    made = [step.rest.split() for step in last.steps if step.keyword == "RUN"]
    assert [words[-5:] for words in made] == [
        ["install", "--directory", "--owner=janitor", "--group=root", "--mode=0770", "/app/var"][-5:]
    ]
    assert [step.rest for step in last.steps if step.keyword == "USER"] == ["10001:0"]
    # Else the image's user could write what a checkout with another umask lets its group write.
    assert any(step.rest.endswith("chmod -R a+rX,go-w .") for step in first.steps)


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


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, as the image's own: the folders of pytest are root's alone."""
    made = Path(tempfile.mkdtemp(prefix="janitor-trial-", dir="/var/tmp"))
    made.chmod(0o755)
    for name in ("janitor", "var"):
        (made / name).mkdir()
    (made / "run.py").touch(0o644)
    # The Python of this test may be root's alone.
    python = shutil.which("python3", path="/usr/bin:/bin")
    (made / "bin").mkdir()
    (made / "bin" / "python").symlink_to(python or "/nowhere")
    yield made
    shutil.rmtree(made)


@needs_root
@pytest.mark.parametrize(
    ("group", "mode", "run_py", "told"),
    [
        (0, 0o770, 0o644, None),
        (10001, 0o770, 0o644, "the user 1000670000:0 may write nowhere, and ought to write var alone"),
        (0, 0o750, 0o644, "the user 1000670000:0 may write nowhere, and ought to write var alone"),
        (0, 0o770, 0o664, "the user 10001:0 may write run.py var, and ought to write var alone"),
    ],
)
def test_any_user_of_group_0_writes_var_alone(
    folder: Path, group: int, mode: int, run_py: int, told: str | None
) -> None:
    os.chown(folder / "var", 10001, group)
    (folder / "var").chmod(mode)
    (folder / "run.py").chmod(run_py)
    if not (folder / "bin" / "python").exists():
        pytest.skip("this machine has no Python for all users")
    image = Image(Path("/"), env={"PATH": f"{folder}/bin"}, workdir=PurePosixPath(folder), user="10001:0")
    if told is None:
        try_writing(image)
    else:
        with pytest.raises(ReplayError, match=f"^{told}$"):
            try_writing(image)
