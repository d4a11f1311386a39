"""Every block of code in the tutorial and the how-to pages: it runs as for a reader, or is checked in another way."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.docs import elsewhere
from tests.docs.blocks import Block, blocks
from tests.docs.project import HOW_TO, TUTORIAL, Reader, copied, free_ports
from tests.docs.shell import shell
from tests.servers import SqlServer

MOST_SECONDS = 600
"""How long all pages of the tutorial may take on a busy machine; on an idle one they take half a minute."""

USER, PLACE, DATABASE = "janitor", "127.0.0.1:3306", "janitor_state"
"""The user, the server and the database of pages whose state is on a server."""


def by_console(page: Path) -> bool:
    """Whether a page has commands that run here."""
    return any(block.language == "console" for block in blocks(page))


RUN = [page for page in HOW_TO if by_console(page)]
LONG = (
    *("add_a_task", "from_a_queue", "jobs_that_build_on_one_another", "move_from_apscheduler", "move_from_celery_beat"),
    *("move_from_cron", "publish_messages", "rename_a_job", "stop_the_daemon", "sync_a_table", "work_on_items"),
)
"""The pages that are run with --all alone."""
LONG_TO_CHECK = ("run_with_docker", "upgrade")
"""The pages whose blocks are checked with --all alone."""
ON_SERVER = [page for page in RUN if PLACE in page.read_text(encoding="utf-8")]


def with_marks(pages: Sequence[Path], long: Sequence[str]) -> list[Any]:
    """The pages as parameters of a test, some for --all alone."""
    return [pytest.param(page, marks=[pytest.mark.slow] if page.stem in long else [], id=page.stem) for page in pages]


def programs(pages: Sequence[Path]) -> set[str]:
    """The programs that commands of these pages call, and that a machine may lack."""
    consoles = [block for page in pages for block in blocks(page) if block.language == "console"]
    return {command.text.split()[0] for block in consoles for command in block.commands} & {
        "curl",
        "mysql",
        "mysqldump",
        "sqlite3",
    }


def read(pages: Sequence[Path], folder: Path, instead: dict[str, str] | None = None) -> None:
    """Follow the pages, each with a shell of its own, in one copy of the project."""
    if missing := [name for name in programs(pages) if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    made, ports = copied(folder), free_ports()
    for page in pages:
        with shell(made, {"WEB_PORT": ports["8080"]}) as typed:
            reader = Reader(made, typed, {**ports, **(instead or {})})
            for block in blocks(page):
                reader.follow(block)


@pytest.mark.slow
@pytest.mark.timeout(MOST_SECONDS)
def test_the_tutorial_leads_from_nothing_to_a_daemon(tmp_path: Path) -> None:
    assert TUTORIAL, "the tutorial has pages"
    read(TUTORIAL, tmp_path)


@pytest.mark.parametrize("page", with_marks([page for page in RUN if page not in ON_SERVER], LONG))
def test_a_how_to_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    read([page], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", ON_SERVER, ids=lambda page: page.stem)
def test_a_page_with_a_server_does_what_it_says(page: Path, tmp_path: Path, mariadb: SqlServer) -> None:
    with state_of_the_page(mariadb, tmp_path) as instead:
        read([page], tmp_path, instead)


@contextmanager
def state_of_the_page(server: SqlServer, home: Path) -> Iterator[dict[str, str]]:
    """Make the database and the user that pages name, and a login for `mysql` in `home`; what is called otherwise."""
    url = server.create_database()
    server.execute(f"DROP USER IF EXISTS {USER}", f"CREATE USER {USER} IDENTIFIED BY 'secret'")
    server.execute(f"GRANT ALL ON `{url.database}`.* TO {USER}")
    login = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password or "",
        "protocol": "tcp",
    }
    lines = [f"{name}={value}\n" for name, value in login.items()]
    (home / ".my.cnf").write_text("".join(["[client]\n", *lines]), encoding="utf-8")
    try:
        yield {PLACE: f"{url.host}:{url.port}", DATABASE: str(url.database)}
    finally:
        server.execute(f"DROP USER {USER}")
        server.drop_database(url.database)


@pytest.mark.parametrize("page", with_marks([*TUTORIAL, *HOW_TO], LONG_TO_CHECK))
def test_every_block_runs_or_is_checked_in_another_way(page: Path) -> None:
    found = blocks(page)
    for number, block in enumerate(found):
        if block.language == "console":
            assert block.commands, f"{block.place}: no command"
        elif block.file in elsewhere.FILES:
            elsewhere.FILES[block.file](block)
        elif block.file:
            assert used(found[number + 1 :], page), f"{block.place}: no command below makes use of {block.file}"
        else:
            assert block.language == "sh", f"{block.place}: a block of a kind that nobody runs or checks"
            for command in elsewhere.commands(block):
                elsewhere.check_command(command)


def used(later: Sequence[Block], page: Path) -> bool:
    """Whether a command that really runs comes after a file, on its page or on a later page of the tutorial."""
    rest = TUTORIAL[TUTORIAL.index(page) + 1 :] if page in TUTORIAL else []
    return any(block.language == "console" for block in later) or any(map(by_console, rest))
