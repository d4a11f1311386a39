"""A daemon whose jobs are those of `builders.JOBS`, and whoever visits it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, select

from janitor.settings import passwords
from janitor.state import State
from janitor.state.tables import runs
from tests.daemons import daemons
from tests.small_engine import eventually
from tests.web import builders
from tests.web.visitor import Visitor

PASSWORD = "a long way home"


@dataclass(frozen=True)
class House:
    """A daemon whose jobs are those of `builders.JOBS`, who visits it, and the file that ends its walk."""

    operator: Visitor
    viewer: Visitor
    state: State
    seen: Path

    def run(self, job: str, **fields: str) -> int:
        """A run of a job by the button on its page, once it has ended."""
        page = self.operator.submit(self.operator.get(f"/jobs/{job}").form(f"/jobs/{job}/run", **fields))
        assert page.path.startswith("/runs/"), page.flash
        run = int(page.path.removeprefix("/runs/"))
        eventually(lambda: self.outcome(run))
        return run

    def outcome(self, run: int) -> str | None:
        """How a run ended."""
        with self.state.read() as connection:
            return connection.execute(select(runs.c.outcome).where(runs.c.id == run)).scalar()

    def newest(self, job: str) -> int:
        """The newest run of a job; 0 if the job has no run."""
        with self.state.read() as connection:
            query = select(runs.c.id).where(runs.c.job == job).order_by(runs.c.id.desc()).limit(1)
            return connection.execute(query).scalar() or 0

    def built(self) -> tuple[int, int]:
        """A run of `crawl`, and the run of `process` that used it."""
        before, crawl = self.newest("process"), self.run("crawl")
        eventually(lambda: (last := self.newest("process")) > before and self.outcome(last))
        return crawl, self.newest("process")


@contextmanager
def building(folder: Path) -> Iterator[House]:
    """The daemon, for the length of a block; its state database and files are in a folder."""
    url, file, seen = URL.create("sqlite", database=str(folder / "state.db")), folder / "jobs.yaml", folder / "seen"
    file.write_text(builders.JOBS, encoding="utf-8")
    hashed = passwords.hashed(PASSWORD)
    more = {"WEB_USERS": f"olga:operator:{hashed} vera:viewer:{hashed}", "SEEN": str(seen), "JOBS_FILE": str(file)}
    more["INBOX_PING_URL"] = f"https://hc.example.org/{builders.SECRET}"
    with daemons("tests.jobs_file.bare", folder, LEASE_SECONDS="30", WEB_ENABLED="true", WEB_PORT="0", **more) as start:
        daemon = start(url)
        daemon.says("the dashboard is at ")
        found = re.search(r"the dashboard is at (\S+)", daemon.text)
        assert found, daemon.text
        daemon.says("leading with")
        state = State(url)
        one = House(Visitor(found[1]), Visitor(found[1]), state, seen)
        for visitor, name in ((one.operator, "olga"), (one.viewer, "vera")):
            assert visitor.sign_in(name, PASSWORD).status == 200
        yield one
        state.close()
