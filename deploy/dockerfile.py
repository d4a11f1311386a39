"""Reads a Dockerfile: its stages, their instructions, and what .dockerignore keeps out of a build."""

import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath


class ReplayError(Exception):
    """Raised when the Dockerfile cannot be replayed, or what it builds does not behave."""


@dataclass(frozen=True)
class Step:
    """One instruction: its keyword, its flags (`--from=build` is {"from": "build"}), and what follows them."""

    keyword: str
    flags: dict[str, str]
    rest: str

    @property
    def argv(self) -> list[str] | None:
        """The words of the exec form, or None for the shell form."""
        return [str(word) for word in json.loads(self.rest)] if self.rest.startswith("[") else None


@dataclass(frozen=True)
class Stage:
    """A FROM, and the instructions up to the next FROM."""

    name: str
    base: str
    steps: tuple[Step, ...]


def parse(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile in their order. A stage without a name is named by its number."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    for line in filter(None, (line.strip() for line in re.sub(r"\\\n", "", lines).splitlines())):
        keyword, _, rest = line.partition(" ")
        if keyword.upper() == "FROM":
            base, *name = re.split(r"\s+AS\s+", rest.strip(), flags=re.IGNORECASE)
            stages.append(Stage(name[0] if name else str(len(stages)), base, ()))
        elif not stages:
            raise ReplayError(f"the Dockerfile has {keyword} before its first FROM")
        else:
            stages[-1] = replace(stages[-1], steps=(*stages[-1].steps, _step(keyword.upper(), rest.strip())))
    return stages


def _step(keyword: str, rest: str) -> Step:
    flags: dict[str, str] = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Step(keyword, flags, rest)


def ignored(path: str, rules: list[str]) -> bool:
    """Whether the rules of .dockerignore keep a path out of the build: the last rule that matches decides."""
    parts = PurePosixPath(path).parts
    prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    out = False
    for rule in rules:
        pattern = re.compile(_as_regex(rule.removeprefix("!").strip("/")))
        if any(pattern.fullmatch(prefix) for prefix in prefixes):
            out = not rule.startswith("!")
    return out


def _as_regex(rule: str) -> str:
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*|\?)", rule))


def read_rules(context: Path) -> list[str]:
    """Return the rules of the context's .dockerignore; none if there is no such file."""
    file = context / ".dockerignore"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def variables(text: str, env: dict[str, str]) -> dict[str, str]:
    """Return the variables that an ENV sets; names in them are replaced by their values in `env`."""
    pairs = (word.split("=", 1) for word in shlex.split(text))
    return {name: re.sub(r"\$\{?(\w+)\}?", lambda found: env.get(found[1], ""), value) for name, value in pairs}


def exec_form(step: Step) -> tuple[str, ...]:
    """Return the words of an instruction that must not go through a shell.

    Raises:
        ReplayError: it would go through a shell.
    """
    if step.argv is None:
        raise ReplayError(f"{step.keyword} is not in exec form: a shell would get the signals, not the daemon")
    return tuple(step.argv)
