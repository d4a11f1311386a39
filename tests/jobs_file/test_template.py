"""Rendering: what a template may do, and what is said if it cannot be rendered."""

from pathlib import Path

import pytest

from janitor.jobs_file.mistakes import BadJobsFile
from janitor.jobs_file.template import render
from tests.jobs_file.files import write


def refusal(folder: Path, text: str, **environment: str) -> str:
    """Return the mistake in a template that cannot be rendered."""
    with pytest.raises(BadJobsFile) as caught:
        render(write(folder, text), environment)
    assert len(caught.value.mistakes) == 1
    return str(caught.value.mistakes[0])


def test_env_reads_a_variable_or_names_the_line(tmp_path: Path) -> None:
    assert render(write(tmp_path, 'a: {{ env("SITE") }} {{ env("NO", "none") }}'), {"SITE": "x"}).text == "a: x none"
    said = refusal(tmp_path, 'a: 1\nb: {{ env("SITE") }}\n')
    assert said == "jobs.yaml:2: the variable SITE is not set; define it, or give a default"


def test_what_env_gives_is_kept_secret_unless_it_is_public(tmp_path: Path) -> None:
    environ, kept = {"KEY": "k1", "SITE": "s1", "UNUSED": "u1"}, dict[str, str]()
    text = '{{ env("KEY") }} {{ env("SITE", public=true) }} {{ env("NONE", "default") }} {{ env("NO", 7) }}'
    found = render(write(tmp_path, text), environ, lambda name, value, whole: kept.update({name: value}))
    assert found.text == "k1 s1 default 7"
    assert kept == {"KEY": "k1"}


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ("env('KEY') | upper", {"HUNTER,TWO"}),
        ("env('KEY').upper().lower() | title", {"HUNTER,TWO", "Hunter,two"}),
        ("env('KEY').split(',')[1] | reverse", {"hunter", "two", "owt"}),
        ("env('KEY')[2:6]", {"nter"}),
        ("env('KEY') | replace(',', '-')", {"hunter-two"}),
        ("env('PIN') | int + 1", {"4711"}),
        ("'a:' ~ env('KEY') ~ '@h'", set()),
        ("env('KEY', public=true) | upper", set()),
    ],
)
def test_what_a_file_makes_of_a_secret_is_a_secret(tmp_path: Path, expression: str, made: set[str]) -> None:
    kept = set[str]()
    environ = {"KEY": "hunter,two", "PIN": "4711"}
    render(write(tmp_path, f"{{{{ {expression} }}}}"), environ, lambda name, value, whole: kept.add(value))
    assert kept - {"hunter,two"} == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{{ nothing }}\n", "jobs.yaml:2: 'nothing' is undefined; define it, or give a default"),
        ("a\n{% for x in y %}\n", "jobs.yaml:2: Jinja2 cannot read it: Unexpected end of template."),
        ("a\n\n{% include 'none.yaml' %}\n", "jobs.yaml:3: it includes 'none.yaml', and there is no such file in"),
        ("{% include '../jobs.yaml' %}\n", "jobs.yaml:1: it includes '../jobs.yaml', and there is no such file in"),
        ("a\n{{ ''.__class__.__mro__ }}\n", "jobs.yaml:2: the sandbox refuses it: access to attribute '__class__'"),
        ("a\n{{ 1 / 0 }}\n", "jobs.yaml:2: Jinja2 cannot render it: ZeroDivisionError: division by zero"),
        ("{% for x in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "it renders to more than 2,000,000 characters"),
    ],
)
def test_a_refused_template_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_mistake_in_an_included_file_has_its_line(tmp_path: Path) -> None:
    write(tmp_path, "a: 1\nb: {{ nothing }}\n", "more.yaml")
    assert refusal(tmp_path, "x: 1\n{% include 'more.yaml' %}\n").startswith("more.yaml:2: 'nothing' is undefined")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadJobsFile, match="it cannot be read .No such file or directory.; give another path"):
        render(tmp_path / "none.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"jobs: \xe9\n")
    with pytest.raises(BadJobsFile, match="it is not UTF-8"):
        render(tmp_path / "latin.yaml", {})
