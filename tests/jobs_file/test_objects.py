"""Objects of a pipeline: made of their keys, or every mistake in them with its line and key path."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, get_origin

import pytest

from janitor.items import FolderStore, Forward, HttpReply, RabbitInbox, Reading
from janitor.jobs_file.annotations import LISTS, MAPPINGS, WORDS, choices, hints_of
from janitor.jobs_file.objects import ROLES, Role, class_named, dataclass_of, fields_of, role_of
from tests.command_line import CommandLine
from tests.jobs_file import pipes
from tests.jobs_file.pipes import EVERY_CLASS, PIPE, mistakes, pipeline

MINE = PIPE + "    inboxes:\n      mine:\n        use: PIPES:OwnInbox\n        folder: in\n"
"""A file with one inbox; further keys of it follow."""


def test_a_class_of_the_house_is_made_of_its_keys(tmp_path: Path) -> None:
    text = (
        PIPE + "    inboxes:\n      requests: {use: RabbitInbox, queue: q, prefetch: 7, "
        "reading: {key_field: ETag, secret_fields: [Authorization]}}\n"
        "    replies:\n      told: {use: HttpReply, url: 'https://lab/{key}', headers: {Authorization: LAB_TOKEN}}\n"
        "    store: {use: FolderStore, path: results, gzip: true}\n"
    )
    made = pipeline(tmp_path, text)
    reading = Reading(key_field="ETag", secret_fields=("Authorization",))
    assert made.inboxes == (RabbitInbox("requests", "q", 7, reading=reading),)
    assert made.replies == (HttpReply("told", "https://lab/{key}", headers={"Authorization": "LAB_TOKEN"}),)
    assert made.store == FolderStore("results", gzip=True)


def test_a_class_of_ones_own_is_made_of_its_keys(tmp_path: Path) -> None:
    more = "pause: 10m, where: there, pick: 'PIPES:well', kind: old, share: 0.5"
    text = PIPE + EVERY_CLASS.replace("folder: in,", f"folder: in, {more},")
    made = pipeline(tmp_path, text)
    (mine,) = made.inboxes
    ten = timedelta(minutes=10)
    assert mine == pipes.OwnInbox("mine", "in", pipes.How("ETag"), ten, Path("there"), pipes.well, "old", 0.5)
    assert made.replies == (pipes.OwnReply("told", ("a", "b")),) and made.store == pipes.OwnStore()


@pytest.mark.parametrize(("role", "name"), [(role, name) for role in ROLES for name in role.names])
def test_each_field_of_the_houses_classes_has_a_type_that_a_file_knows(role: Role, name: str) -> None:
    kind = class_named(name, role)
    hints = hints_of(kind)
    for field in fields_of(kind):
        for one in choices(hints[field]):
            plain = {get_origin(one) or one} & {*WORDS, *LISTS, *MAPPINGS, Literal}
            assert plain or role_of(one) or dataclass_of(one), f"{name}.{field} is {one}"


def test_a_field_for_the_settings_gets_them(tmp_path: Path) -> None:
    (mine,) = pipeline(tmp_path, MINE, LEASE_SECONDS="7").inboxes
    assert isinstance(mine, pipes.OwnInbox) and mine.settings is not None and mine.settings.lease_seconds == 7
    assert mistakes(tmp_path, MINE + "        settings: 7\n")[0].startswith(
        "jobs.yaml:9: pipeline p: inboxes.mine.settings: there is no such key; the keys are use, folder"
    )


def test_an_object_may_lie_in_an_object(tmp_path: Path) -> None:
    store = "{use: FolderStore, path: results}"
    text = PIPE.replace("{function: PIPES:well}", f"{{forward: {{url: 'http://compute', store: {store}}}}}")
    assert pipeline(tmp_path, text).steps[0].func == Forward("http://compute", store=FolderStore("results"), name="a")
    text = PIPE + "    inboxes:\n      m: {use: PIPES:Telling, answer: {use: 'PIPES:OwnReply', name: other}}\n"
    (inbox,) = pipeline(tmp_path, text).inboxes
    assert inbox == pipes.Telling("m", pipes.OwnReply("other"))


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("", "use: it is missing: give FolderInbox, RabbitInbox, SqsInbox, TableInbox, or a class of your own as"),
        ("use: RabitInbox, ", "use: it is 'RabitInbox': did you mean 'RabbitInbox'?"),
        ("use: Other, ", "use: it is 'Other': give FolderInbox, "),
        ("use: [a], ", "use: it is ['a']: give FolderInbox, "),
        ("use: SocketReply, ", "use: it is 'SocketReply', which is a reply and not an inbox: give FolderInbox, "),
        ("use: 'PIPES:Plain', ", "which is no dataclass: give"),
        ("use: 'PIPES:well', ", "which is no dataclass: give"),
        ("use: 'PIPES:OwnInbx', ", "has no OwnInbx; did you mean 'OwnInbox'?"),
        ("use: 'nowhere:Inbox', ", "use: it is 'nowhere:Inbox': there is no module nowhere; put it"),
        ("use: 'PIPES:OwnReply', ", "which is not an inbox: it has no receive"),
        ("use: 'PIPES:How', ", "which is not an inbox: it has no field name, requires, receive"),
    ],
)
def test_what_is_no_class_for_an_inbox_is_told(tmp_path: Path, use: str, said: str) -> None:
    (found,) = mistakes(tmp_path, PIPE + f"    inboxes:\n      mine: {{{use}folder: in}}\n")
    assert found.startswith("jobs.yaml:6: pipeline p: inboxes.mine.use: ") and said in found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("        foldr: in\n", "9: pipeline p: inboxes.mine.foldr: there is no such key; did you mean 'folder'?"),
        ("        name: other\n", "9: pipeline p: inboxes.mine.name: there is no such key; the keys are use, folder"),
        ("        _held: []\n", "9: pipeline p: inboxes.mine._held: there is no such key"),
        ("        kind: odd\n", "9: pipeline p: inboxes.mine.kind: it is 'odd': give new or old"),
        ("        share: 7\n", "9: pipeline p: inboxes.mine.share: it is 7.0: give a number between 0 and 1"),
        ("        reading: 7\n", "9: pipeline p: inboxes.mine.reading: it is 7: give keys and values"),
        ("        reading:\n          most: a\n", "10: pipeline p: inboxes.mine.reading.most: it is 'a': give a whole"),
        ("        reading:\n          use: b\n", "10: pipeline p: inboxes.mine.reading.use: there is no such key"),
        ("        pick: PIPES:no\n", "9: pipeline p: inboxes.mine.pick: it is 'tests.jobs_file.pipes:no'"),
        ("        tags: 7\n", "9: pipeline p: inboxes.mine.tags: it is 7: give names and values or a list of texts"),
    ],
)
def test_a_key_that_does_not_fit_is_told_with_its_line(tmp_path: Path, more: str, said: str) -> None:
    (found,) = mistakes(tmp_path, MINE + more)
    assert found.startswith(f"jobs.yaml:{said}")


def test_a_key_that_is_missing_is_told(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, MINE.replace("        folder: in\n", ""))
    assert found == "jobs.yaml:6: pipeline p: inboxes.mine.folder: it is missing: give a text"
    text = PIPE.replace("function: PIPES:well", "function: {use: 'PIPES:Asks'}")
    (found,) = mistakes(tmp_path, text)
    assert found == "jobs.yaml:4: pipeline p: steps.a.function.times: it is missing: give a whole number"


def test_what_a_class_refuses_is_told_of_each_key(tmp_path: Path) -> None:
    # Given: an inbox with a key of a wrong type, one without meaning, and two values that its class refuses.
    # What must hold: all four are told at once, and nothing that would be right without the other mistakes.
    text = MINE + "        share: 2\n        kind: old\n        tags: [a]\n        where: 7\n        more: 1\n"
    assert [line.partition("inboxes.mine.")[2] for line in mistakes(tmp_path, text)] == [
        "share: it is 2.0: give a number between 0 and 1",
        "tags: it is ('a',): leave them out, old ones have none",
        "where: it is 7: give a path",
        "more: there is no such key; the keys are use, folder, reading, pause, where, pick, kind, share, tags",
    ]


def test_a_value_that_is_needed_and_refused_ends_the_search(tmp_path: Path) -> None:
    text = MINE.replace("folder: in", "folder: nowhere") + "        share: 2\n"
    (found,) = mistakes(tmp_path, text)
    assert found == "jobs.yaml:8: pipeline p: inboxes.mine.folder: it is 'nowhere': give a folder"


def test_a_value_that_was_refused_is_not_called_missing(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, PIPE + "    store: {use: S3Store, bucket: 7}\n")
    assert found.startswith("jobs.yaml:5: pipeline p: store.bucket: it is 7: give a text")


def test_what_is_missing_together_is_told_at_the_object(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, PIPE + "    store: {use: S3Store}\n")
    assert found == "jobs.yaml:5: pipeline p: store.bucket: it is missing: give either the bucket's name, or setting"


def test_a_class_that_raises_anything_is_told(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, PIPE.replace("function: PIPES:well", "function: {use: 'PIPES:Strict'}"))
    assert found == "jobs.yaml:4: pipeline p: steps.a.function: it cannot be made: RuntimeError: not today"


def test_a_secret_of_a_refused_value_is_hidden_by_the_mask(tmp_path: Path) -> None:
    pipes.write(tmp_path, MINE + "        kind: '{{ env(\"LAB_KEY\") }}'\n")
    house = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"LAB_KEY": "wJalrXUtnFEMI"})
    ended = house("validate", "jobs.yaml")
    assert ended.code == 2 and "inboxes.mine.kind: it is '***': give new or old" in ended.out
