"""Where each rendered line was written."""

from pathlib import Path

from janitor.jobs_file.template import render
from tests.jobs_file.files import write


def origins(folder: Path, text: str) -> dict[str, str]:
    """Return the origin of each rendered line that is not blank."""
    rendered = render(write(folder, text), {})
    lines = rendered.text.split("\n")
    return {line.strip(): str(rendered.place(at)) for at, line in enumerate(lines) if line.strip()}


def test_lines_are_told_as_written_through_loops_and_includes(tmp_path: Path) -> None:
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


def test_line_marks_change_no_computed_value(tmp_path: Path) -> None:
    text = "{% set word %}abc{% endset %}{{ 'same' if word == 'abc' else 'other' }} {{ word|length }}\n"
    rendered = render(write(tmp_path, text), {})
    assert rendered.text == "same 3\n"
    assert str(rendered.place(0)) == "jobs.yaml (rendered):1"
