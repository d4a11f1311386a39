"""Write the generated parts of the pages: `python -m docs.generate`; with `--check`, only say what is not current."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from docs import marked
from docs.marked import Part
from docs.sources import (
    command_line,
    folders,
    grants,
    http_api,
    jobs,
    notices,
    pipelines,
    python_api,
    settings,
    state_database,
)

DOCS = Path(__file__).parent
Page = tuple[Path, str, str]
"""A page: its path, its text as it is, and its text as it must be."""
KINDS = ("tutorial", "how-to", "reference", "explanation")
PAGES: Mapping[str, Mapping[str, Part]] = {
    "reference/add_job.md": {"keywords": jobs.keywords},
    "reference/command_line.md": {"verbs": command_line.verbs, "exit-codes": command_line.codes},
    "reference/grants.md": {"databases": grants.databases},
    "reference/http_api.md": {"requests": http_api.requests, "codes": http_api.codes, "shapes": http_api.shapes},
    "reference/jobs_file.md": {"keys": jobs.keys},
    "reference/notices.md": {"rules": notices.rules, "webhook": notices.webhook},
    "reference/pipelines.md": {
        "steps": pipelines.steps,
        "inboxes": pipelines.inboxes,
        "replies": pipelines.replies,
        "stores": pipelines.stores,
    },
    "reference/python_api.md": {"faces": python_api.faces},
    "reference/settings.md": {"settings": settings.settings, "jobs": settings.jobs},
    "reference/state_database.md": {"tables": state_database.tables},
    **{f"{kind}/index.md": {"pages": folders.pages_of(DOCS / kind)} for kind in KINDS},
}

KEPT = frozenset({"keywords", "verbs", "exit-codes", "keys", "rules", "tables", "webhook"})
"""Parts whose last cells people write; none may be empty."""


def texts() -> Iterator[Page]:
    """Each page that has generated parts."""
    for name, parts in PAGES.items():
        path = DOCS / name
        text = path.read_text(encoding="utf-8")
        yield path, text, marked.written(text, parts)


def complaints(pages: Sequence[Page]) -> list[str]:
    """What is not as it must be, a sentence each."""
    found = []
    for path, there, wanted in pages:
        name = path.relative_to(DOCS.parent)
        if there != wanted:
            found.append(f"{name} is not what the code says: run `python -m docs.generate`")
        found += [f"{name} says nothing of {what}: write its words in the table" for what in marked.empty(wanted, KEPT)]
    return found


def write(pages: Sequence[Page]) -> list[Page]:
    """Write what is not current; the pages as they are then."""
    for path, there, wanted in pages:
        if there != wanted:
            path.write_text(wanted, encoding="utf-8")
            print(f"wrote {path.relative_to(DOCS.parent)}")
    return [(path, wanted, wanted) for path, _, wanted in pages]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` change nothing; 1 if something is not as it must be."""
    if arguments not in ([], ["--check"]):
        print("docs.generate takes no argument but --check", file=sys.stderr)
        return 2
    try:
        pages = list(texts())
    except LookupError as exc:
        print(exc, file=sys.stderr)
        return 1
    found = complaints(pages if arguments else write(pages))
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
