"""Reading a Dockerfile and .dockerignore, as an engine does."""

import pytest

from deploy import dockerfile


def test_dockerfile_is_read_as_an_engine_reads_it() -> None:
    first_stage = "# a comment\nFROM base:1 AS one\nRUN a \\\n# within\n  && b\n"
    text = first_stage + 'FROM base:2\nCOPY --from=one /a b\nCMD ["c", "d"]\n'
    first, second = dockerfile.parse(text)
    assert (first.name, first.base, second.name, second.base) == ("one", "base:1", "1", "base:2")
    assert first.steps == (dockerfile.Step("RUN", {}, "a   && b"),)
    assert second.steps[0] == dockerfile.Step("COPY", {"from": "one"}, "/a b")
    assert second.steps[1].argv == ["c", "d"]


@pytest.mark.parametrize(
    ("rules", "path", "out"),
    [
        (["*.log"], "a.log", True),
        (["*.log"], "folder/a.log", False),
        (["**/*.log"], "folder/deep/a.log", True),
        (["folder"], "folder/deep/a.log", True),
        (["*", "!folder"], "folder/deep/a.log", False),
        (["!a.log", "*.log"], "a.log", True),
    ],
)
def test_ignore_rules_decide_in_their_order(rules: list[str], path: str, out: bool) -> None:
    assert dockerfile.ignored(path, rules) is out
