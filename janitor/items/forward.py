"""Forwarding: a step that sends an item to a compute worker over HTTP, and takes its answer as the result.

    before the first item     the worker's health is waited for; so it is after the worker was away
    a result is there         nothing is computed: the store has it under the item's key; unless somebody wants it anew
    the request               the item's arguments as JSON, and headers from its secrets
    repeated                  what is safe to repeat: nobody listened, 502, 503, 504; after 0.5, 1, 2, ... seconds
    the answer                kept in the store, or the step's result; its error fields are the item's error

Everything together keeps to the time that the step has for an item: connecting, waiting, reading and repeating.
"""

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from janitor.errors import BadSetting, Unavailable
from janitor.http import server_of
from janitor.items.compute_worker import ComputeWorker
from janitor.items.ends import Store
from janitor.items.forward_answers import Fields, Trouble, read
from janitor.items.item import Item
from janitor.items.option_checks import LARGEST_TEXT, check_seconds, check_whole
from janitor.items.reading import at_path
from janitor.items.replies.told import json_bytes
from janitor.items.templates import address, finder, names_in
from janitor.items.trying import Failed
from janitor.items.variables import text_of
from janitor.needs import Need, ServiceNeed
from janitor.runs import current_run
from janitor.settings.settings import Settings

MOST_BYTES = 100_000_000
CONNECT_SECONDS = 5.0
HEALTH_SECONDS = 60.0
WITHOUT_LIMIT_SECONDS = 600.0
"""How long a worker may take outside a run, where nothing says how long."""
SPARE_SECONDS = 0.25
"""So much of a step's time is left for saying that it is over."""
TRIES, MOST_TRIES = 5, 1_000
METHODS = ("POST", "PUT", "PATCH")
URL_HELP = "give the compute worker's address, such as http://compute:4000"


class TaggingStore(Store, Protocol):
    """A store that knows which tags an item's result has."""

    def tags_of(self, args: Mapping[str, Any]) -> Mapping[str, str]:
        """The tags of an item's result, from its arguments."""


@dataclass
class _Held:
    """What a process keeps: the worker that it speaks with, and the settings."""

    process: int = 0
    worker: ComputeWorker | None = None
    settings: Settings | None = None

    def __reduce__(self) -> Any:
        return _Held, ()


@dataclass(frozen=True)
class Forward:
    """A step's function that has a compute worker do the work: `Step("compute", Forward("http://compute:4000"))`.

    - `url`: the worker's address; or `setting`: the variable with it.
    - `path`: what is added to it; `{key}`, `{pipeline}`, `{step}` and paths into the arguments are filled in, quoted.
    - `method`: POST, PUT or PATCH.
    - `body`: the path of what is sent in the arguments; all arguments, if empty.
    - `headers`: names of headers, each with the name of the secret that goes in it. What an item has no secret for is
      left out.
    - `connect_seconds`: how long connecting may take; the step's `timeout` bounds all of it.
    - `most_bytes`: larger answers are refused.
    - `tries`: how often a request is sent at most, if it is safe to repeat.
    - `health`: a path that answers 200 to 299 once the worker can work, waited for up to `health_seconds`; an item that
      has waited in vain is not failed, and is looked at again after a minute.
    - `error`: where an answer says that something has gone wrong, as a path; the whole answer if empty.
    - `code`: where that has a code, as a path in it.
    - `message`: where that has a sentence for people, as a path in it.
    - `statuses`: the status for a code: `{"E7": "too few cells"}`; the step's `failed` for all others.
    - `store`: where the answer is kept. The result is its address then. Without one, the answer is the result.
    - `anew`: compute also what the store has already. An item that was reprocessed or reset is computed anew in any
      case.
    - `settings`: for `setting` and `store`; read from the environment, if None.
    - `name`: what `check` calls it.
    """

    url: str = ""
    path: str = ""
    setting: str = ""
    method: str = "POST"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": "Authorization"})
    connect_seconds: float = CONNECT_SECONDS
    most_bytes: int = MOST_BYTES
    tries: int = TRIES
    health: str = ""
    health_seconds: float = HEALTH_SECONDS
    error: str = "error"
    code: str = "code"
    message: str = "message"
    statuses: Mapping[str, str] = field(default_factory=dict)
    store: TaggingStore | None = None
    anew: bool = False
    settings: Settings | None = field(default=None, repr=False, compare=False)
    name: str = "forward"
    _held: _Held = field(default_factory=_Held, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: there is no address, or two; or an option has a value that makes no sense.
        """
        if bool(self.url) == bool(self.setting):
            raise BadSetting("url", self.url or None, f"{URL_HELP}, or setting")
        if self.url:
            _check_url("url", self.url, self.url)
        if self.method not in METHODS:
            raise BadSetting("method", self.method, f"give one of {', '.join(METHODS)}")
        names_in("path", self.path)
        check_whole("tries", self.tries, 1, MOST_TRIES)
        check_whole("most_bytes", self.most_bytes, 1, LARGEST_TEXT)
        check_seconds("connect_seconds", self.connect_seconds)
        check_seconds("health_seconds", self.health_seconds, 0)

    @property
    def __name__(self) -> str:
        """Its name, as a function's."""
        return self.name

    @property
    def requires(self) -> Sequence[Need]:
        """The compute worker."""
        what = f"the compute worker of the step {self.name}"
        return (ServiceNeed(what, self.look, (self.setting,) if self.setting else ()),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Ask whether the worker is healthy, if it has an address for that; nothing is computed.

        Raises:
            BadSetting, Unavailable: its address is missing, or it does not answer well.
        """
        worker = self._worker(settings)
        if not self.health:
            return (f"{worker.where} is asked nothing now: give health, and `check` asks there",)
        if trouble := worker.health_trouble(time.monotonic() + settings.connect_timeout_seconds):
            fix = "start it, or correct its address or its path for health"
            raise Unavailable(f"{worker.where} is not healthy: {trouble}; {fix}")
        return (f"{worker.where} is healthy",)

    def __call__(self, item: Item) -> None:
        """Have an item computed.

        Raises:
            Failed: the worker says that it failed, or gave no whole answer.
            Skip: the worker is not healthy.
            DeadlineExceeded: no whole answer came in the time that the step has for an item.
            Unavailable, Rejected, Cancelled: the store cannot be used; the run was asked to stop.
        """
        if not self.anew and item.times == 1 and self._has_result(item):
            return
        worker, ends_at = self._worker(self._settings() if self.setting else None), _ends_at()
        path = address(self.path, finder(_names(item), item.args))
        body, headers = self._body(item), self._headers(item)
        worker.wait_until_healthy(self.health_seconds, ends_at)
        found = worker.ask(self.method, path, body, headers, ends_at=ends_at, most_bytes=self.most_bytes)
        content, trouble = read(found, Fields(self.error, self.code, self.message), worker.where)
        if trouble is not None:
            raise self._failed(trouble, item)
        self._keep(item, content, found.body)

    def _worker(self, settings: Settings | None) -> ComputeWorker:
        """The worker, as this process knows it; a child that was forked begins anew."""
        url, held = self.url, self._held
        if settings is not None and self.setting:
            url = text_of(settings, self.setting, URL_HELP)
            _check_url(self.setting, url, "(not shown)")
        worker = held.worker
        if worker is None or held.process != os.getpid() or worker.url != url.rstrip("/"):
            held.process = os.getpid()
            worker = held.worker = ComputeWorker(url, self.connect_seconds, self.tries, self.health)
        return worker

    def _settings(self) -> Settings:
        if self.settings is not None:
            return self.settings
        self._held.settings = self._held.settings or Settings.load()
        return self._held.settings

    def _has_result(self, item: Item) -> bool:
        place = None if self.store is None else self.store.find(self._settings(), item.pipeline, item.key)
        if place is None:
            return False
        item.result = {"address": place.address}
        return True

    def _keep(self, item: Item, content: Any, body: bytes) -> None:
        if self.store is None:
            item.result = content
            return
        place = self.store.put(self._settings(), item.pipeline, item.key, body, self.store.tags_of(item.args))
        item.result = {"address": place.address}

    def _body(self, item: Item) -> bytes:
        content = at_path(item.args, self.body) if self.body else item.args
        if content is None:
            raise Failed(f"its arguments have no {self.body}, which is what the compute worker gets", code="malformed")
        return json_bytes(content)

    def _headers(self, item: Item) -> Mapping[str, str]:
        own = {"Content-Type": "application/json", "Accept": "application/json"}
        given = {name: item.secrets.get(secret) for name, secret in self.headers.items()}
        for name, value in given.items():
            if value is not None and not (isinstance(value, str) and value.isascii() and value.isprintable()):
                raise Failed(f"its {self.headers[name]} cannot be sent as a header", code="malformed")
        return own | {name: value for name, value in given.items() if value is not None}

    def _failed(self, trouble: Trouble, item: Item) -> Failed:
        """The error that an answer tells; a secret that the worker repeats is left out."""
        reason, code = trouble.reason, trouble.code
        for secret in item.secrets.values():
            if isinstance(secret, str) and secret:
                reason, code = reason.replace(secret, "***"), code and code.replace(secret, "***")
        return Failed(reason, self.statuses.get(code or ""), code)


def _check_url(name: str, url: str, shown: str) -> None:
    try:
        server_of(url)
    except ValueError as exc:
        raise BadSetting(name, shown, f"{URL_HELP}: {exc}") from exc


def _names(item: Item) -> Mapping[str, Any]:
    return {"key": item.key, "pipeline": item.pipeline, "step": item.step}


def _ends_at() -> float:
    """Until when an answer must have come; a little of the step's time is left for saying that it has not."""
    left = current_run().remaining_seconds
    left = left if left < math.inf else WITHOUT_LIMIT_SECONDS
    return time.monotonic() + left - min(SPARE_SECONDS, left / 10)
