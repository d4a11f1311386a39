"""Rendering within a process: what a template includes and takes, without the limits around it."""

from pathlib import Path

import pytest

from janitor.jobs_file.jinja import rendered
from tests.jobs_file.files import write


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """A link to a file of another name in another folder; each folder has files of its own."""
    for folder in ("etc", "seven"):
        (tmp_path / folder).mkdir()
        for name in ("both", folder):
            write(tmp_path / folder, f"# {name} of {folder}\n", f"{name}.yaml")
    write(tmp_path / "seven", "{% include 'both.yaml' %}{% include 'etc.yaml' %}{% include 'seven.yaml' %}", "lab.yaml")
    write(tmp_path / "seven", "# never this file of the link's name\n", "jobs.yaml")
    (tmp_path / "etc" / "jobs.yaml").symlink_to(tmp_path / "seven" / "lab.yaml")
    return tmp_path


def test_a_link_includes_from_beside_itself_and_then_from_beside_its_target(releases: Path) -> None:
    answer = rendered(releases / "etc" / "jobs.yaml", {})
    assert answer["text"].split("\n")[:3] == ["# both of etc", "# etc of etc", "# seven of seven"]
    looked_at = [str(Path(file).relative_to(releases)) for file in answer["files"]]
    # A file that comes to lie beside the link later is noticed too.
    assert looked_at == ["etc/jobs.yaml", "etc/both.yaml", "etc/etc.yaml", "etc/seven.yaml", "seven/seven.yaml"]


def test_a_variable_that_is_not_public_is_a_secret_also_if_rendering_fails(tmp_path: Path) -> None:
    path = write(tmp_path, "{{ env('A') }}{{ env('B', public=true) }}{{ env('C', 'none') }}{{ nothing }}")
    answer = rendered(path, {"A": "a", "B": "b"})
    assert answer["secrets"] == ["A"] and answer["refused"][2].startswith("'nothing' is undefined")


@pytest.mark.parametrize("name", ["../jobs.yaml", "/etc/hostname", "a\\0b", "", ".", "x/../../y"])
def test_nothing_outside_the_folders_is_included(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, "outside")
    answer = rendered(write(tmp_path / "in", f'{{% include "{name}" %}}', "lab.yaml"), {})
    assert "there is no such file" in answer["refused"][2] or "it cannot be read" in answer["refused"][2]
