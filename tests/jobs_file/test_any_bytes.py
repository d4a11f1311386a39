"""Any bytes at all as a jobs file: the answer is jobs, or mistakes in words, and it comes soon."""

import json
import signal
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from janitor.jobs_file import pipelines, steps, template
from janitor.jobs_file.keys import KEYS
from janitor.jobs_file.loading import load
from janitor.jobs_file.mistakes import BadJobsFile
from tests.command_line import CommandLine
from tests.jobs_file import pipes
from tests.jobs_file.files import HERE, JOB, clock, mistakes, write
from tests.random_inputs import inputs

TAGS = ("", "!!int ", "!!float ", "!!bool ", "!!timestamp ", "!!binary ", "!!null ", "!!set ", "!!omap ", "!result ")
HOSTILE = (
    *("0000-00-00", "2024-13-01", "2023-02-30", "24:00:00", "2001-12-14t21:59:43.10-99:99", "9" * 5000),
    *("0x" + "f" * 10_000, "1e999", "-.inf", ".nan", "0o9", "1_0", "1:99:99", "~", "''", "=", "<<", "*a", "&a [*a]"),
    *("[[1]]", "{[1]: 2}", "{a: 1, a: 2}", "'\\ud800'", '"\\uD800"', '"\\0"', "é", "\x85", "\u202e", "|", ">-", "%a"),
)
values = st.builds(
    str.__add__, st.sampled_from(TAGS), st.sampled_from(HOSTILE) | st.text(max_size=8) | st.integers().map(str)
)
jobs = st.dictionaries(st.sampled_from([*KEYS, "other"]), values, min_size=1, max_size=4)


def answer(path: Path) -> str:
    """What is said of a file: a line for each job, or each mistake; any other error fails the test."""
    try:
        return "\n".join(load(path, clock()).jobs)
    except BadJobsFile as exc:
        assert exc.mistakes and all(len(str(mistake)) < 2_500 for mistake in exc.mistakes)
        json.dumps([mistake.text for mistake in exc.mistakes])
        return "\n".join(map(str, exc.mistakes))


@settings(max_examples=inputs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(jobs, max_size=3))
@example(found=[{"timeout": "0000-00-00"}])
@example(found=[{"args": "[" + "9" * 5000 + "]", "id": "a"}])
def test_any_values_are_answered_in_words(tmp_path: Path, found: list[dict[str, str]]) -> None:
    lines = [
        f"  {'-' if number == 0 else ' '} {key}: {value}"
        for one in found
        for number, (key, value) in enumerate(one.items())
    ]
    path = tmp_path / "jobs.yaml"
    path.write_bytes("\n".join(["jobs:", *lines]).encode(errors="surrogatepass"))
    answer(path)


names = st.sampled_from(
    ["a", "b", "'1'", "yes", "~", "a.b", "'a: b'", "<<", "", "x" * 70, "use", "url", "queue", "store"]
)
"""Names of steps and inboxes, and keys of objects."""


ONE_LINE = ("0000-00-00", "24:00:00", "1e999", ".nan", "9" * 500, "~", "''", "[[1]]", "{[1]: 2}", "{a: 1, a: 2}", "yes")
plain = st.sampled_from(
    [*ONE_LINE, "!result b", "!!int a", "é", "7", "-1", "0.5", "few", "[a, b]", "{a: few}", "'a#b'"]
)


def mappings(keys: "st.SearchStrategy[str]", inner: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    """Mappings as YAML writes them on one line."""
    pairs = st.lists(st.tuples(keys, inner), max_size=3)
    return pairs.map(lambda found: "{" + ", ".join(f"{key}: {value}" for key, value in found) + "}")


classes = st.sampled_from(
    ["RabbitInbox", "SocketReply", "S3Store", "Forward", f"'{pipes.HERE}:OwnInbox'", "'a:b'", "7"]
)
objects = mappings(names | st.just("reading"), plain | classes | mappings(names, plain))
step_keys = mappings(st.sampled_from([*steps.KNOWN, "other"]), plain | objects | st.just(f"'{pipes.HERE}:well'"))
pipeline_keys = mappings(
    st.sampled_from([*pipelines.KNOWN, "other"]), plain | mappings(names, plain | objects | step_keys)
)


@settings(max_examples=inputs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=mappings(names, pipeline_keys | plain))
@example(found="{'a: b': {steps: {a: {function: 7}}}}")
@example(found="{a: {statuses: {a: [b]}, steps: {a: {needs: {a: [b]}, failed: {a: b}, forward: {url: []}}}}}")
@example(found="{a: {store: {use: {}}, inboxes: {a: {use: RabbitInbox, reading: [], name: {}}}, schema: {$ref: 7}}}")
def test_any_pipelines_are_answered_in_words(tmp_path: Path, found: str) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_bytes(f"pipelines: {found}\n".encode(errors="surrogatepass"))
    answer(path)


@settings(max_examples=inputs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=60) | st.text(alphabet="jobs: -[]{}&*!|>'\"#%@`,?\n\t\0a1", max_size=60).map(str.encode)
)
def test_any_bytes_are_answered_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jobs.yaml"
    # Templates have a test of their own: each takes a process.
    for mark in template.MARKS:
        content = content.replace(mark.encode(), b"")
    path.write_bytes(content)
    answer(path)


TEMPLATES = {
    "a product": '{{ "x" * 2000000000 }}',
    "a padded text": '{{ "x"|center(2000000000) }}',
    "a doubled text": '{% set n = namespace(x="a") %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}',
    "a macro that calls itself": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "a file that includes itself": '{% include "jobs.yaml" %}',
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "half a character": '{{ "\\ud800" }}',
    "too much text": "{% for i in range(3000) %}{{ 'y' * 1000 }}{% endfor %}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_takes_all_memory_is_told(tmp_path: Path, name: str) -> None:
    (told,) = answer(write(tmp_path, TEMPLATES[name])).splitlines()
    assert told.startswith("jobs.yaml:1: it ") or told.startswith("jobs.yaml:1: Jinja2 cannot render it: it ")


ENDLESS = (
    "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}"
)


def test_a_template_without_an_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BadJobsFile, match="it is not rendered within 0.5 s: it has a loop that does not end"):
        template.render(write(tmp_path, ENDLESS), {}, seconds=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x: " + "[" * 1500 + "]" * 1500, "exceeded maximum nesting depth"),
        ("".join("- " * depth + "\n" for depth in (1, 200)), "lists more than 100 deep"),
        ("x0: &x0 [a]\n" + "".join(f"x{i}: &x{i} [*x{i - 1}]\n" for i in range(1, 1500)), "lists more than 100 deep"),
        (
            "x-0: &x0 [a,a,a,a,a,a,a,a,a,a]\n"
            + "".join(f"x-{i}: &x{i} [{','.join([f'*x{i - 1}'] * 10)}]\n" for i in range(1, 12)),
            "more than 200,000 values",
        ),
        (
            "x-0: &x0 {a: 1}\n"
            + "".join(f"x-{i}: &x{i} {{<<: [{','.join([f'*x{i - 1}'] * 10)}]}}\n" for i in range(1, 9)),
            "more than 200,000 values",
        ),
        ("jobs:\n" + "  - [a,b]\n" * 100_000, "more than 200,000 values"),
    ],
)
def test_few_lines_cannot_stand_for_more_than_there_is_memory(tmp_path: Path, text: str, said: str) -> None:
    assert said in mistakes(tmp_path, text)[0]


def test_each_value_that_cannot_be_is_told_with_its_line_and_key(tmp_path: Path) -> None:
    text = "    timeout: 0000-00-00\n    kwargs:\n      a: !!int abc\n      b: 2024-13-01\n"
    assert [line for line in mistakes(tmp_path, JOB + text) if "quotes" in line] == [
        "jobs.yaml:4: job a: timeout: '0000-00-00' is no timestamp that can be read: a text wants quotes",
        "jobs.yaml:6: job a: kwargs: 'abc' is no int that can be read: a text wants quotes",
        "jobs.yaml:7: job a: kwargs: '2024-13-01' is no timestamp that can be read: a text wants quotes",
    ]


def test_a_value_that_cannot_be_is_told_once_wherever_it_lies(tmp_path: Path) -> None:
    text = "x-day: &day 2024-13-01\npipelines:\n  p:\n    steps:\n      a:\n"
    text += "        retries: 2023-02-30\n        tags: [*day]\n        title: *day\n"
    assert [line for line in mistakes(tmp_path, text) if "quotes" in line] == [
        "jobs.yaml:1: pipeline p: steps.a.tags: '2024-13-01' is no timestamp that can be read: a text wants quotes",
        "jobs.yaml:6: pipeline p: steps.a.retries: '2023-02-30' is no timestamp that can be read: a text wants quotes",
    ]


@pytest.mark.slow
def test_many_mistakes_are_told_soon(tmp_path: Path) -> None:
    names = ", ".join(f"no_{number}" for number in range(20_000))
    text = f"jobs:\n  - id: a\n    function: {HERE}:skips\n    dependencies: [{names}]\n"
    assert len(mistakes(tmp_path, text)) == 1_000
    steps = "".join(f"      s{number}: {{retries: x, needs: [{names[:2000]}]}}\n" for number in range(100))
    assert len(mistakes(tmp_path, f"pipelines:\n  p:\n    steps:\n{steps}")) == 1_000
    many = "".join(f"  p{number}: {{steps: 7, keep_dayz: {{use: 7}}}}\n" for number in range(5_000))
    assert len(mistakes(tmp_path, f"pipelines:\n{many}")) == 1_000


@pytest.mark.slow
def test_every_verb_answers_in_words(tmp_path: Path) -> None:
    """Given jobs files that no loader expects. Each is validated, listed and started. None gives a traceback."""
    line = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})
    for text in (
        JOB + "    args: [2023-02-30]\n",
        "jobs: \0\n",
        TEMPLATES["a product"],
        JOB + "    retries: " + "9" * 5000,
    ):
        write(tmp_path, text)
        for verb in ("validate", "jobs", "start"):
            began = time.monotonic()
            ended = line(verb)
            said = ended.out + ended.err
            assert ended.code in (2, 3) and "Traceback" not in said and "jobs.yaml:" in said, (verb, said)
            assert time.monotonic() - began < 50


def test_a_value_that_cannot_be_for_a_moment_costs_nothing(tmp_path: Path) -> None:
    """Given a daemon on a jobs file. The file says 2023-02-30 for a moment, and then is right again.

    Must hold: the mistake is told, the watcher lives, and the right file is taken over.
    """
    from tests.jobs_file.living import daemon

    with daemon(tmp_path, JOB) as house:
        house.change(JOB + "    kwargs: {day: 2023-02-30}\n")
        house.says("'2023-02-30' is no timestamp that can be read")
        house.change(JOB + "  - {id: b, function: 'FUNCTIONS:skips', schedule: every 1s}\n")
        house.says("was read again: it has 2 jobs")
        house.process.send_signal(signal.SIGHUP)
