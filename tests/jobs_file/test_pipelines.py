"""Pipelines of a jobs file: what they make, and every mistake in them at once."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from janitor.items import Step
from janitor.items.pipeline import Pipeline
from janitor.items.pipeline_check import check
from janitor.jobs_file.keys import PIPELINE_KEYS, STEP_KEYS
from janitor.jobs_file.loading import load
from janitor.jobs_file.mistakes import BadJobsFile
from tests.command_line import CommandLine
from tests.jobs_file import pipes
from tests.jobs_file.files import clock
from tests.jobs_file.pipes import EVERY_CLASS, PIPE, jobs, mistakes, pipeline

WHOLE = PIPE + """
      b: {function: PIPES:badly, needs: {a: few}}
    title: Things
    notes: Some **notes**
    statuses: {no host match: error, few: warning, "yes": ok}
    keep_days: 3
    keep_errors_days: 0.5
    on_duplicate: anew
    fails_in_a_row: 7
    waits_seconds: 2h
"""


def test_every_key_of_a_pipeline_is_taken_over(tmp_path: Path) -> None:
    made = pipeline(tmp_path, WHOLE + EVERY_CLASS)
    assert replace(made, inboxes=(), replies=()) == Pipeline(
        "p",
        (Step("a", pipes.well), Step("b", pipes.badly, needs={"a": "few"})),
        {"no host match": "error", "few": "warning", "yes": "ok"},
        store=pipes.OwnStore(),
        on_duplicate="anew",
        keep_days=3.0,
        keep_errors_days=0.5,
        fails_in_a_row=7,
        waits_seconds=7200.0,
        title="Things",
        notes="Some **notes**",
        file=str(tmp_path / "jobs.yaml"),
    )
    assert [end.name for end in made.inboxes] == ["mine"] and [end.name for end in made.replies] == ["told"]


def test_each_field_of_pipelines_and_steps_has_a_key() -> None:
    special = {"name", "steps", "statuses", "inboxes", "replies", "store", "schema", "file"}
    assert {field.name for field in fields(Pipeline)} - special == PIPELINE_KEYS.keys()
    assert {field.name for field in fields(Step)} - {"name", "func", "needs", "requires"} == STEP_KEYS.keys()


def test_a_pipeline_makes_a_job_of_each_step_inbox_and_reply(tmp_path: Path) -> None:
    found = jobs(tmp_path, WHOLE + EVERY_CLASS)
    kinds = {name: job.work.kind if job.work else None for name, job in found.items()}
    assert kinds == {"p.a": "step", "p.b": "step", "p.mine": "inbox", "p.told": "reply"}
    assert found["p.a"].schedule == "with work" and found["p.a"].file == str(tmp_path / "jobs.yaml")


def test_variables_override_a_step(tmp_path: Path) -> None:
    found = jobs(tmp_path, WHOLE, P_A_SCHEDULE="every 1h", P_B_ENABLED="false")
    assert found["p.a"].schedule == "every 1h" and found["p.b"].disabled_because == "P_B_ENABLED=false"
    (wrong,) = mistakes(tmp_path, WHOLE, P_A_SCHEDULE="evry 1h")
    assert wrong.startswith("jobs.yaml:2: pipeline p: P_A_SCHEDULE is 'evry 1h': give")


def test_a_template_makes_steps(tmp_path: Path) -> None:
    text = (
        "pipelines:\n  p:\n    steps:\n"
        "{% for name in ['a', 'b'] %}\n      {{ name }}: {function: 'PIPES:well', retries: {{ retries|default(2) }}}\n"
        "{% endfor %}\n      c: {function: 'PIPES:no'}\n"
    )
    (found,) = mistakes(tmp_path, text)
    assert found.startswith("jobs.yaml:7: pipeline p: steps.c.function: it is 'tests.jobs_file.pipes:no'")
    assert [step.retries for step in pipeline(tmp_path, text.replace("PIPES:no", "PIPES:well")).steps] == [2, 2, 0]


def test_steps_may_share_what_an_anchor_holds(tmp_path: Path) -> None:
    text = (
        "x-slow: &slow {function: 'PIPES:well', timeout: 1h, retries: 1}\nx-own: &own {<<: *slow, retries: 3}\n"
        "pipelines:\n  p:\n    steps: {a: *own, b: *own, c: {<<: *slow, workers: 2}}\n"
    )
    found = [(step.name, step.timeout, step.retries, step.workers) for step in pipeline(tmp_path, text).steps]
    assert found == [("a", 3600.0, 3, 1), ("b", 3600.0, 3, 1), ("c", 3600.0, 1, 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pipelines: [a]\n", "1: pipelines: give 'pipelines:' and under it 'NAME:' for each pipeline"),
        ("pipelines: {}\npipelines: {}\n", "2: pipelines: it is given twice: put all pipelines into one mapping"),
        ("pipelines: {p: 7}\n", "1: pipeline p: give keys and values, such as 'steps:'"),
        ("pipelines:\n  p:\n    title: a\n", "2: pipeline p: steps: give at least one step"),
        ("pipelines:\n  p:\n    steps:\n", "3: pipeline p: steps: give at least one step"),
        ("pipelines:\n  p:\n    steps: [a]\n", "3: pipeline p: steps: it is ['a']: give names, and under each its"),
        ("pipelines:\n  p:\n    steps: {a: b}\n", "3: pipeline p: steps.a: it is 'b': give keys and values"),
        (PIPE.replace("p:", "p.q:"), "2: pipeline p.q: give a name of up to 63 letters, digits, '_' and '-'"),
        (PIPE.replace("a:", "a.b:"), "4: pipeline p: steps.a.b: give a name of up to 63 letters"),
        (PIPE.replace("a:", f"{'a' * 63}:"), "is the id of a job, and has more than 64 characters: shorten it"),
        (PIPE + "    stauses: {}\n", "5: pipeline p: stauses: there is no such key; did you mean 'statuses'?"),
        (PIPE + "    statuses: [a]\n", "5: pipeline p: statuses: it is ['a']: give statuses and kinds, such as"),
        (PIPE + "    statuses: {few: bad}\n", "5: pipeline p: statuses.few: it is 'bad': give ok, warning or error"),
        (PIPE + "    statuses: {few: [a]}\n", "5: pipeline p: statuses.few: it is ['a']: give ok, warning or error"),
        (PIPE + "    statuses: {processing: ok}\n", "statuses.processing: this status is built in: give yours another"),
        (PIPE + "    statuses: {failed: ok}\n", "statuses.failed: this status is built in: give yours another name"),
        (PIPE + f"    statuses: {{{'a' * 65}: ok}}\n", "give a status, a text of up to 64 characters"),
        (PIPE + "    keep_days: 0\n", "5: pipeline p: keep_days: it is 0: give a number above 0"),
        (PIPE + "    keep_errors_days: .inf\n", "5: pipeline p: keep_errors_days: it is inf: give a number above 0"),
        (PIPE + "    fails_in_a_row: 0\n", "5: pipeline p: fails_in_a_row: it is 0: give a whole number, 1 or more"),
        (PIPE + "    waits_seconds: x\n", "5: pipeline p: waits_seconds: it is 'x': give a number of seconds above 0"),
        (PIPE + "    on_duplicate: x\n", "5: pipeline p: on_duplicate: it is 'x': give reply or ignore or change or"),
        (PIPE + "    store: here\n", "5: pipeline p: store: it is 'here': give keys and values, such as {use: Folder"),
        (PIPE + "    inboxes: 7\n", "5: pipeline p: inboxes: it is 7: give names, and under each its keys and values"),
        (PIPE + "    replies: {told: 7}\n", "5: pipeline p: replies.told: it is 7: give keys and values"),
        (
            PIPE + "    replies:\n      a: {use: 'PIPES:OwnReply'}\n",
            "6: pipeline p: replies.a: jobs.yaml:4 has that name already; give another",
        ),
        (PIPE + "    title: a\n    title: b\n", "6: pipeline p: title: it is given twice: keep one"),
        (PIPE + "      a: {function: PIPES:well}\n", "5: pipeline p: steps.a: it is given twice: keep one"),
        (PIPE + "  p: {steps: {a: {function: 'PIPES:well'}}}\n", "5: pipeline p: it is given twice: keep one"),
        (PIPE + "    schema: {enum: [{a: 1, a: 2}]}\n", "5: pipeline p: schema.enum: a: it is given twice: keep one"),
        (PIPE + "    title: !result b\n", "5: pipeline p: title: '!result' has no meaning in a pipeline: a step has"),
        (PIPE + "    keep_days: 2023-02-30\n", "keep_days: '2023-02-30' is no timestamp that can be read: a text"),
        (PIPE + "    schema: {enum: [2023-02-30]}\n", "5: pipeline p: schema.enum: '2023-02-30' is no timestamp"),
        (PIPE + "    ? [a, b]\n    : 7\n", "5: pipeline p: (a key that is no text): there is no such key"),
    ],
)
def test_a_mistake_of_a_pipeline_has_its_line_and_key_path(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found
    assert len(found) == 1 or "!result" in text or "keep_days: 2023" in text, "it is told once"


def test_all_mistakes_of_all_pipelines_are_told_at_once_in_line_order(tmp_path: Path) -> None:
    text = (
        "jobs:\n  - id: x\n    function: no:no\n"
        + PIPE.replace("a: {function: PIPES:well}", "a: {function: PIPES:well, retries: x, needs: [z]}")
        + "      b: {needs: [c]}\n      c: {function: PIPES:well, needs: [b], failed: ok then}\n"
        "    statuses: {ok then: ok, few: lots}\n    inboxes: {i: {use: 'PIPES:OwnInbox'}}\n    keep_days: x\n"
        "  q:\n    steps: {a: {function: PIPES:nothing}}\n"
    )
    assert [line.split(": ")[0] + " " + line.split(": ")[2] for line in mistakes(tmp_path, text)] == [
        "jobs.yaml:3 function",
        "jobs.yaml:7 steps.a.retries",
        "jobs.yaml:7 steps.a.needs",
        "jobs.yaml:8 steps.b.function",
        "jobs.yaml:8 steps.b.needs",
        "jobs.yaml:9 steps.c.failed",
        "jobs.yaml:10 statuses.few",
        "jobs.yaml:11 inboxes.i.folder",
        "jobs.yaml:12 keep_days",
        "jobs.yaml:14 steps.a.function",
    ]


def test_what_does_not_fit_together_is_told_at_its_key(tmp_path: Path) -> None:
    # Given: pipelines of which `add_pipeline` tells a mistake between two parts. What happens: the same stands in a
    # file. What must hold: the mistake is told at its key, and not at the line of the whole pipeline.
    made = [
        Pipeline("p", (Step("a", pipes.well, needs=["z"]),)),
        Pipeline("p", (Step("a", pipes.well, needs=["a"]),)),
        Pipeline("p", (Step("a", pipes.well), Step("b", pipes.well, needs={"a": "few"}))),
        Pipeline("p", (Step("a", pipes.well, failed="processed"),)),
        Pipeline("p", (Step("a", pipes.well),), replies=(pipes.OwnReply("a"),)),
    ]
    texts = [
        PIPE.replace("PIPES:well", "PIPES:well, needs: [z]"),
        PIPE.replace("PIPES:well", "PIPES:well, needs: [a]"),
        PIPE + "      b: {function: PIPES:well, needs: {a: few}}\n",
        PIPE.replace("PIPES:well", "PIPES:well, failed: processed"),
        PIPE + "    replies: {a: {use: 'PIPES:OwnReply'}}\n",
    ]
    for one, text in zip(made, texts, strict=True):
        assert len(check(one)) == 1
        (found,) = mistakes(tmp_path, text)
        assert "pipeline p: steps." in found or "pipeline p: replies." in found


def test_the_texts_for_people_have_no_secrets(tmp_path: Path) -> None:
    text = PIPE.replace("PIPES:well", "PIPES:well, title: '{{ env(\"KEY\") }}', tags: ['{{ env(\"KEY\") }}']")
    found = pipeline(tmp_path, text + "    notes: with {{ env('KEY') }}\n", KEY="wJalrXUtnFEMI")
    assert (found.notes, found.steps[0].title, found.steps[0].tags) == ("with ***", "***", ("***",))


def test_a_module_that_lies_elsewhere_by_now_is_told(tmp_path: Path) -> None:
    # Given: a jobs file behind a link, with a module beside it. What happens: the link is switched to another module of
    # that name. What must hold: each key that names it is told.
    for release, code in (("r1", "1"), ("r2", "2")):
        (tmp_path / release).mkdir()
        body = f"from dataclasses import dataclass\n@dataclass\nclass Own:\n    n: int = {code}\n"
        body += "    def __call__(self, item): pass\ndef step(item): pass\n"
        (tmp_path / release / "switched_steps.py").write_text(body, encoding="ascii")
        text = "{a: {function: 'switched_steps:step'}, b: {function: {use: 'switched_steps:Own'}}}"
        pipes.write(tmp_path / release, f"pipelines: {{p: {{steps: {text}}}}}\n")
    current = tmp_path / "current"
    current.symlink_to("r1")
    assert list(load(current / "jobs.yaml", clock()).jobs) == ["p.a", "p.b"]
    current.unlink()
    current.symlink_to("r2")
    with pytest.raises(BadJobsFile) as caught:
        load(current / "jobs.yaml", clock())
    assert [mistake.where for mistake in caught.value.mistakes] == [
        "pipeline p: steps.a.function",
        "pipeline p: steps.b.function.use",
    ]
    assert all("and is another now" in mistake.text for mistake in caught.value.mistakes)


def test_what_a_module_raises_as_it_is_asked_is_told(tmp_path: Path) -> None:
    text = PIPE.replace("PIPES:well", "PIPES:evil.part") + "  q:\n    steps: 7\n"
    first, second = mistakes(tmp_path, text)
    assert first == "jobs.yaml:2: pipeline p: its values cannot be taken: RuntimeError: not asked for"
    assert second.startswith("jobs.yaml:6: pipeline q: steps: it is 7"), "the other pipelines are read"


def test_the_verbs_show_the_jobs_of_pipelines(tmp_path: Path) -> None:
    pipes.write(tmp_path, WHOLE)
    house = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})
    assert house("validate").lines == ["jobs.yaml: 2 jobs, no mistakes"]
    assert [job["job"] for job in house("jobs", "--json").json] == ["p.a", "p.b"]
    pipes.write(tmp_path, WHOLE.replace("needs: {a: few}", "needs: {a: many}"))
    (found,) = house("validate", "--json").json
    assert (found["file"], found["line"], found["where"]) == ("jobs.yaml", 6, "pipeline p: steps.b.needs.a")
