"""Rendering: what templates may do, and where a line came from."""

from pathlib import Path

import pytest

from janitor.jobs_file.mistakes import BadJobsFile
from janitor.jobs_file.template import render
from tests.jobs_file.files import write


def origins(folder: Path, text: str) -> dict[str, str]:
    """Each rendered line that is not blank, with its origin."""
    rendered = render(write(folder, text), {})
    lines = rendered.text.split("\n")
    return {line.strip(): str(rendered.place(at)) for at, line in enumerate(lines) if line.strip()}


def refusal(folder: Path, text: str, **environment: str) -> str:
    """What is said of a template that cannot be rendered."""
    with pytest.raises(BadJobsFile) as caught:
        render(write(folder, text), environment)
    assert len(caught.value.mistakes) == 1
    return str(caught.value.mistakes[0])


def test_lines_of_loops_macros_and_includes_are_told_as_they_were_written(tmp_path: Path) -> None:
    write(tmp_path, "a: 1\n{% if true %}\nb: 2\n{% endif %}\n", "more.yaml")
    text = (
        "{% macro pair(name) %}\n"  # 1
        "first {{ name }}\n"  # 2
        "\n"  # 3
        "second {{ name }}\n"  # 4
        "{% endmacro %}\n"  # 5
        "top\n"  # 6
        "{% for name in ['x', 'y'] %}\n"  # 7
        "{{ pair(name) }}\n"  # 8
        "{% endfor %}\n"  # 9
        "{# a comment\nof two lines #}\n"  # 10, 11
        "{% include 'more.yaml' %}\n"  # 12
        "end\n"  # 13
    )
    assert origins(tmp_path, text) == {
        "first x": "jobs.yaml:2",
        "second x": "jobs.yaml:4",
        "first y": "jobs.yaml:2",
        "second y": "jobs.yaml:4",
        "top": "jobs.yaml:6",
        "a: 1": "more.yaml:1",
        "b: 2": "more.yaml:3",
        "end": "jobs.yaml:13",
    }


def test_the_marks_of_lines_change_nothing_that_a_template_computes(tmp_path: Path) -> None:
    text = "{% set word %}abc{% endset %}{{ 'same' if word == 'abc' else 'other' }} {{ word|length }}\n"
    rendered = render(write(tmp_path, text), {})
    assert rendered.text == "same 3\n"
    assert str(rendered.place(0)) == "jobs.yaml (rendered):1"


def test_an_environment_variable_is_read_and_its_absence_is_told_with_the_line(tmp_path: Path) -> None:
    assert render(write(tmp_path, 'a: {{ env("SITE") }} {{ env("NO", "none") }}'), {"SITE": "x"}).text == "a: x none"
    said = refusal(tmp_path, 'a: 1\nb: {{ env("SITE") }}\n')
    assert said == "jobs.yaml:2: the variable SITE is not set; define it, or give a default"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{{ nothing }}\n", "jobs.yaml:2: 'nothing' is undefined; define it, or give a default"),
        ("a\n{% for x in y %}\n", "jobs.yaml:2: Jinja2 cannot read it: Unexpected end of template."),
        ("a\n\n{% include 'none.yaml' %}\n", "jobs.yaml:3: it includes 'none.yaml', and there is no such file in"),
        ("{% include '../jobs.yaml' %}\n", "jobs.yaml:1: it includes '../jobs.yaml', and there is no such file in"),
        ("a\n{{ ''.__class__.__mro__ }}\n", "jobs.yaml:2: the sandbox refuses it: access to attribute '__class__'"),
        ("a\n{{ 1 / 0 }}\n", "jobs.yaml:2: Jinja2 cannot render it: ZeroDivisionError: division by zero"),
        ("{% for x in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "it renders to more than 10,000,000 characters"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_mistake_in_an_included_file_is_told_with_that_files_line(tmp_path: Path) -> None:
    write(tmp_path, "a: 1\nb: {{ nothing }}\n", "more.yaml")
    assert refusal(tmp_path, "x: 1\n{% include 'more.yaml' %}\n").startswith("more.yaml:2: 'nothing' is undefined")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadJobsFile, match="it cannot be read .No such file or directory.; give another path"):
        render(tmp_path / "none.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"jobs: \xe9\n")
    with pytest.raises(BadJobsFile, match="it is not UTF-8"):
        render(tmp_path / "latin.yaml", {})
