"""The verb `validate`: every mistake of a jobs file, as text and as JSON."""

from tests.command_line import CommandLine
from tests.engine.test_dependents import CHAIN
from tests.jobs_file.files import write


def test_validate_tells_every_mistake_and_ends_with_2(chain: CommandLine) -> None:
    ended = chain("validate")
    assert (ended.code, ended.lines) == (0, ["jobs.yaml: 4 jobs, no mistakes"])
    write(chain.folder, CHAIN.replace("args: [garden]", "args: [1, 2, 3]").replace("[process, twin", "[prcess, twin"))
    ended = chain("validate", "jobs.yaml")
    assert (ended.code, len(ended.lines), ended.lines[-1]) == (2, 4, "jobs.yaml: 3 mistakes")
    assert (
        ended.lines[1]
        == "jobs.yaml:17: job report: args or kwargs: '!result process' needs process among the dependencies of "
        "this job"
    )
    told = chain("validate", "--json").json
    assert [(one["file"], one["line"], one["where"]) for one in told] == [
        ("jobs.yaml", 3, "job crawl: args"),
        ("jobs.yaml", 17, "job report: args or kwargs"),
        ("jobs.yaml", 19, "job report: dependencies"),
    ]
    ended = chain("validate", JOBS_FILE="")
    assert (ended.code, ended.err) == (2, "janitor: FILE is missing: name a jobs file, or give one as JOBS_FILE\n")
