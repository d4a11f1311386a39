"""The wing as a whole: opened beside the clock, and checked before a start."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from janitor.engine.runner import Runner
from janitor.jobs.job import Job, Jobs
from janitor.jobs.variables import variable
from janitor.notices.channels import channels_of
from janitor.notices.post import Post
from janitor.notices.rules import of_job
from janitor.notices.troubles import TroubleNotices
from janitor.notices.watch import Watch
from janitor.settings.notices import NoticeRules, address, ping_url_of, rules_of
from janitor.settings.settings import Settings

STOP_SECONDS = 2.0
"""How long all threads together may take to end. The next start tells what is not told by then."""


@contextmanager
def running(runner: Runner, jobs: Mapping[str, Job]) -> Iterator[None]:
    """Watch, tell and ping during a block, in threads of their own.

    Raises:
        BadSetting: a rule, a channel or a watcher's address is malformed.
    """
    settings = runner.settings
    posts = [Post(runner, channel) for channel in channels_of(settings)]
    rules, urls = rules_of_jobs(settings, jobs), ping_urls(settings, jobs)

    def take(jobs: Mapping[str, Job]) -> None:
        """Take the rules and addresses of other jobs, or raise BadSetting and keep the old ones."""
        new_rules, new_urls = rules_of_jobs(settings, jobs), ping_urls(settings, jobs)
        rules.update(new_rules)
        urls.update(new_urls)

    if isinstance(jobs, Jobs):
        jobs.consult(take)
    with ExitStack() as stack:
        stack.enter_context(_telling(posts))
        if any(name.endswith("PING_URL") for name in settings.environ):
            stack.enter_context(_pinging(runner, urls))
        TroubleNotices(runner.loops, posts)
        watch = Watch(runner, jobs, rules, posts)
        watch.start()
        stack.callback(watch.stop, STOP_SECONDS)
        # Runs first at the end: every thread stops while the watch is waited for.
        stack.callback(_ask_to_stop, posts)
        yield


def check(settings: Settings, jobs: Mapping[str, Job]) -> None:
    """Refuse whatever `running` would refuse.

    Raises:
        BadSetting: a rule, a channel or a watcher's address is malformed.
    """
    channels_of(settings)
    rules_of_jobs(settings, jobs)
    ping_urls(settings, jobs)


def rules_of_jobs(settings: Settings, jobs: Mapping[str, Job]) -> dict[str, NoticeRules]:
    """Return the rules of each job, without those that say nothing of it.

    Raises:
        BadSetting: a job's own variable is malformed.
    """
    return {name: of_job(job, rules_of(settings, settings.environ, variable(name))) for name, job in jobs.items()}


def ping_urls(settings: Settings, jobs: Mapping[str, Job]) -> dict[str, str]:
    """Return the watcher's address of each job that has a watcher.

    Raises:
        BadSetting: a job's own variable is malformed.
    """
    found = {job: ping_url_of(settings, _ping_url(settings, job), variable(job), job) for job in jobs}
    return {job: url for job, url in found.items() if url is not None}


def ping_url_now(settings: Settings, job: str, url: str) -> str:
    """The address of a job's watcher as it is now; at the start it was `url`. A file that holds it is read again."""
    own = settings.fresh_text(f"{variable(job)}_PING_URL", check=address)
    of_all = settings.fresh("PING_URL") if own is None else None
    found = own if of_all is None else of_all.get_secret_value()
    return url if found is None else found.replace("{job}", job)


def _ping_url(settings: Settings, job: str) -> dict[str, str]:
    """A job's own variable, if it is given; a file that it names and that cannot be read is an error."""
    name = f"{variable(job)}_PING_URL"
    value = settings.given(name)
    return {} if value is None else {name: value}


@contextmanager
def _telling(posts: list[Post]) -> Iterator[None]:
    for post in posts:
        post.start()
    try:
        yield
    finally:
        _ask_to_stop(posts)
        for post in posts:
            post.wait(STOP_SECONDS / len(posts))


@contextmanager
def _pinging(runner: Runner, urls: Mapping[str, str]) -> Iterator[None]:
    from janitor.notices.pings import Pinger

    pinger = Pinger(urls, runner.loops, partial(ping_url_now, runner.settings))
    pinger.start()
    runner.observers.append(pinger)
    try:
        yield
    finally:
        pinger.stop(STOP_SECONDS)


def _ask_to_stop(posts: list[Post]) -> None:
    for post in posts:
        post.ask_to_stop()
