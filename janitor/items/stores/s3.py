"""A bucket of results: each is one object under its item's key, which S3 has whole or not at all.

A result is looked up by its exact key, and counts if it is not empty. S3 says the same of a missing key and of a
missing bucket. So the bucket is asked for once before a key counts as missing.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from janitor.errors import BadSetting, Rejected
from janitor.items import aws
from janitor.items.stores.contents import (
    LONGEST_TAG_NAME,
    MOST_TAGS,
    fit_tag,
    most_packed,
    packed,
    tags_from,
    unpacked,
)
from janitor.items.templates import check_names, filled, names_in
from janitor.items.variables import text_of
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

NAMES = frozenset({"pipeline", "key"})
LONGEST_KEY = 1_024
"""Of an object's key, in bytes of UTF-8."""
NOT_THERE = frozenset({"404", "NoSuchKey", "NotFound"})
GZIP = "gzip"
LOOK_KEY = "janitor-check"


@dataclass
class _Held:
    """The client that is used again, by this process alone, with the settings that it was made from."""

    client: Any = None
    settings: Settings | None = None
    process: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: set[str] = field(default_factory=set)
    """The buckets that were there."""

    def __reduce__(self) -> Any:
        return _Held, ()


@dataclass(frozen=True)
class S3Place:
    """A result that lies in a bucket."""

    client: Any = field(repr=False, compare=False)
    bucket: str
    key: str

    @property
    def address(self) -> str:
        """Where it lies, as AWS's tools write it."""
        return f"s3://{self.bucket}/{self.key}"

    def read(self, most: int) -> bytes | None:
        """Its bytes, unpacked; None if it has more than `most`, or is gone.

        Raises:
            Unavailable, Rejected: it cannot be read, or is damaged.
        """
        with aws.asking(self.address):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=self.key)
            except self.client.exceptions.ClientError as exc:
                if _is_not_there(exc):
                    return None
                raise
            is_packed = found.get("ContentEncoding") == GZIP
            with found["Body"] as body:
                if found["ContentLength"] > (most_packed(most) if is_packed else most):
                    return None
                content = bytes(body.read())
        return unpacked(content, most, self.address) if is_packed else content


@dataclass(frozen=True)
class S3Store:
    """Keeps results in a bucket.

    - `bucket`: its name; or `setting`: the variable with its name.
    - `template`: an object's key; `{pipeline}` and `{key}` are filled in as they are.
    - `gzip`: pack results; the objects say so as their content encoding.
    - `content_type`: of the objects.
    - `tags`: names of tags, each with its path in the arguments of an item: `{"experiment": "body.experimentId"}`; or
      paths that are names themselves. S3 takes ten.
    """

    bucket: str = ""
    setting: str = ""
    template: str = "{key}"
    gzip: bool = False
    content_type: str = "application/json"
    tags: Mapping[str, str] | Sequence[str] = ()
    _held: _Held = field(default_factory=_Held, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: there is no bucket, or there are two; the template lacks the key; or there are too many tags.
        """
        if bool(self.bucket) == bool(self.setting):
            raise BadSetting("bucket", self.bucket or None, "give either the bucket's name, or setting")
        check_names("template", self.template, NAMES)
        if "key" not in names_in("template", self.template):
            raise BadSetting("template", self.template, "give {key} in it, or all results were one object")
        if isinstance(self.tags, str) or len(self.tags) > MOST_TAGS:
            raise BadSetting("tags", self.tags, f"give a list or a mapping of up to {MOST_TAGS} tags")
        for name in self.tags:
            if not 0 < len(name) <= LONGEST_TAG_NAME or fit_tag(name) != name:
                raise BadSetting(
                    "tags", name, f"give names of up to {LONGEST_TAG_NAME} letters, digits and + - = . _ : /"
                )

    @property
    def requires(self) -> Sequence[Need]:
        """The bucket."""
        what = f"the bucket {self.bucket!r} for results" if self.bucket else f"the bucket of {self.setting} for results"
        return (ServiceNeed(what, self.look, (self.setting,) if self.setting else ()),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Write an object as results are written, look it up, read it, and remove it.

        Raises:
            BadSetting, Unavailable, Rejected: what cannot be done.
        """
        content, tags = b'{"a check": "of Janitor"}', {name: "check" for name in self.tags}
        put = self.put(settings, LOOK_KEY, LOOK_KEY, content, tags)
        found = self.find(settings, LOOK_KEY, LOOK_KEY)
        if found is None or found.read(len(content)) != content:
            raise Rejected(f"{put.address} was written, and is not there: look at the bucket's rules")
        try:
            with aws.asking(put.address):
                put.client.delete_object(Bucket=put.bucket, Key=put.key)
        except Rejected as exc:
            return (f"{put.address} was written and read, and stays: {exc}",)
        return (f"{put.address} was written, read and removed",)

    def tags_of(self, args: Mapping[str, Any]) -> Mapping[str, str]:
        """The tags of an item's result, from its arguments."""
        return tags_from(self.tags, args)

    def find(self, settings: Settings, pipeline: str, key: str) -> S3Place | None:
        """The result of a key, if an object is there that is not empty.

        Raises:
            BadSetting, Unavailable, Rejected: the bucket is not there, or cannot be asked.
        """
        place = self._place(settings, pipeline, key)
        with self._asking(place.address):
            try:
                head = place.client.head_object(Bucket=place.bucket, Key=place.key)
            except place.client.exceptions.ClientError as exc:
                if not _is_not_there(exc):
                    raise
                self._see(place)
                return None
        return place if head["ContentLength"] > 0 else None

    def put(self, settings: Settings, pipeline: str, key: str, content: bytes, tags: Mapping[str, str]) -> S3Place:
        """Keep a result: it is there as a whole, or not at all. Doing it twice is harmless.

        Raises:
            BadSetting, Unavailable, Rejected: it cannot be kept.
        """
        place = self._place(settings, pipeline, key)
        more: dict[str, str] = {"ContentEncoding": GZIP} if self.gzip else {}
        if tags:
            more["Tagging"] = urlencode({name: fit_tag(value) for name, value in tags.items()})
        body = packed(content) if self.gzip else content
        with self._asking(place.address):
            place.client.put_object(
                Bucket=place.bucket, Key=place.key, Body=body, ContentType=self.content_type, **more
            )
        return place

    def _place(self, settings: Settings, pipeline: str, key: str) -> S3Place:
        bucket = self.bucket or text_of(settings, self.setting, "give the name of the bucket for results")
        found = filled(self.template, {"pipeline": pipeline, "key": key}.get)
        if len(found.encode("utf-8", "replace")) > LONGEST_KEY:
            raise Rejected(f"no object can have the key of {key[:100]!r}: it has more than {LONGEST_KEY:,} bytes")
        if any(part in (".", "..") for part in found.split("/")):
            raise Rejected(
                f"no object gets the key {found[:100]!r}: some servers would take its dots for other folders"
            )
        return S3Place(self._client(settings), bucket, found)

    def _client(self, settings: Settings) -> Any:
        """The client; a new one for other settings, after an error, and in another process."""
        held = self._held
        with held.lock:
            if held.client is None or held.settings is not settings or held.process != os.getpid():
                held.client = aws.client(settings, "s3", f"the store {self.bucket or self.setting}")
                held.settings, held.process = settings, os.getpid()
                held.seen.clear()
            return held.client

    @contextmanager
    def _asking(self, where: str) -> Iterator[None]:
        """Ask the bucket; after an error the next one asks with a new client, and so with the key that is right."""
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._forget)
            with aws.asking(where):
                yield
            if_it_fails.pop_all()

    def _forget(self) -> None:
        with self._held.lock:
            self._held.client = None

    def _see(self, place: S3Place) -> None:
        """Make sure that the bucket is there."""
        if place.bucket not in self._held.seen:
            with aws.asking(f"the bucket {place.bucket!r}"):
                place.client.head_bucket(Bucket=place.bucket)
            self._held.seen.add(place.bucket)


def _is_not_there(error: Any) -> bool:
    return error.response.get("Error", {}).get("Code") in NOT_THERE
