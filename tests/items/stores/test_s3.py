"""Results in a bucket of a real server: under their exact key, with tags, and what is told of troubles."""

import gzip
import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.items.stores.s3 import S3Store
from janitor.settings import Settings
from tests.forked import code_of_child
from tests.servers.seaweedfs import KEY, SECRET, Bucket
from tests.small_engine import eventually

CONTENT = b'{"cells": 3}'


def settings(bucket: Bucket, **more: str) -> Settings:
    return Settings.load(bucket.server.environment() | more, dotenv=None)


def test_a_result_is_kept_and_found(bucket: Bucket) -> None:
    given, store = settings(bucket), S3Store(bucket.name)
    assert store.find(given, "analyses", "K7") is None
    put = store.put(given, "analyses", "K7", CONTENT, {})
    found = store.find(given, "analyses", "K7")
    assert found == put and put.address == f"s3://{bucket.name}/K7"
    assert put.read(12) == CONTENT and put.read(11) is None
    assert bucket.object("K7")["Body"] == CONTENT and bucket.object("K7")["ContentType"] == "application/json"
    store.put(given, "analyses", "K7", b"anew", {})
    assert bucket.object("K7")["Body"] == b"anew" and bucket.keys() == ["K7"]


@pytest.mark.slow
def test_tags_packing_and_type_are_kept(bucket: Bucket) -> None:
    tags = {"experimentId": "experimentId", "requestType": "body.name"}
    store = S3Store(bucket.name, template="{pipeline}/{key}.gz", gzip=True, content_type="text/plain", tags=tags)
    given = store.tags_of({"experimentId": "E5", "body": {"name": "Größe & more?"}})
    place = store.put(settings(bucket), "analyses", "K7", b"x" * 5_000, given)
    kept = bucket.object("analyses/K7.gz")
    assert (kept["ContentEncoding"], kept["ContentType"]) == ("gzip", "text/plain")
    assert gzip.decompress(kept["Body"]) == b"x" * 5_000 and len(kept["Body"]) < 100
    assert bucket.tags("analyses/K7.gz") == {"experimentId": "E5", "requestType": "Größe _ more_"}
    assert place.read(5_000) == b"x" * 5_000 and place.read(4_999) is None


@pytest.mark.slow
def test_only_the_exact_key_that_is_not_empty_counts(bucket: Bucket) -> None:
    given, store = settings(bucket), S3Store(bucket.name)
    bucket.put("K7-and-more", b"x")
    bucket.put("K7/below", b"x")
    bucket.put("k7", b"x")
    bucket.put("empty", b"")
    assert [store.find(given, "analyses", key) for key in ("K7", "K", "empty")] == [None, None, None]
    assert store.find(given, "analyses", "k7") is not None


def test_a_result_that_was_removed_meanwhile_is_none(bucket: Bucket) -> None:
    place = S3Store(bucket.name).put(settings(bucket), "analyses", "K7", CONTENT, {})
    bucket.client.delete_object(Bucket=bucket.name, Key="K7")
    assert place.read(100) is None


def test_a_missing_bucket_is_no_missing_result(bucket: Bucket) -> None:
    # Given: a bucket that is not there. S3 says the same of a missing key. What must hold: it is told.
    store = S3Store("no-such-bucket")
    with pytest.raises(Rejected, match="^the bucket 'no-such-bucket' does not exist: make it"):
        store.find(settings(bucket), "analyses", "K7")
    with pytest.raises(Rejected, match="no-such-bucket/K7"):
        store.put(settings(bucket), "analyses", "K7", CONTENT, {})


@pytest.mark.slow
def test_a_wrong_secret_is_told_and_a_new_one_is_used(bucket: Bucket, tmp_path: Path) -> None:
    # Given: a secret in a file, which is wrong. What happens: the right one is written there. No restart is needed.
    (tmp_path / "secret").write_text("wrong-word")
    given = settings(bucket, AWS_SECRET_ACCESS_KEY="", AWS_SECRET_ACCESS_KEY_FILE=str(tmp_path / "secret"))
    store = S3Store(bucket.name)
    with pytest.raises(Rejected, match="does not take the access key") as caught:
        store.put(given, "analyses", "K7", CONTENT, {})
    assert "wrong-word" not in str(caught.value)
    (tmp_path / "secret").write_text(SECRET)
    assert store.put(given, "analyses", "K7", CONTENT, {}).read(100) == CONTENT


def test_a_reader_may_find_and_not_keep(bucket: Bucket) -> None:
    bucket.put("K7", CONTENT)
    given, store = settings(bucket, AWS_ACCESS_KEY_ID=f"{KEY}-reader"), S3Store(bucket.name)
    assert store.find(given, "analyses", "K7") is not None
    for act in (lambda: store.put(given, "analyses", "K8", CONTENT, {}), lambda: store.look(given)):
        with pytest.raises(Rejected, match="may not be used for PutObject: let Janitor's access key or role do that"):
            act()
    assert bucket.keys() == ["K7"]


@pytest.mark.slow
def test_a_server_that_was_away_is_used_again(bucket: Bucket) -> None:
    given, store = settings(bucket), S3Store(bucket.name)
    store.put(given, "analyses", "K7", CONTENT, {})
    with bucket.server.killed():
        with pytest.raises(Unavailable, match=f"^s3://{bucket.name}/K7 cannot be reached"):
            store.find(given, "analyses", "K7")
        with pytest.raises(Unavailable, match=f"^s3://{bucket.name}/K8 cannot be reached"):
            store.put(given, "analyses", "K8", b"x", {})
    place: Any = eventually(lambda: found(store, given))
    assert place.read(100) == CONTENT and store.find(given, "analyses", "K8") is None


def found(store: S3Store, given: Settings) -> Any:
    """The result, as soon as the server has all its parts again."""
    try:
        place = store.find(given, "analyses", "K7")
        return place if place is not None and place.read(100) is not None else None
    except Unavailable:
        return None


@pytest.mark.slow
def test_the_bucket_may_stand_in_a_variable(bucket: Bucket) -> None:
    store = S3Store(setting="RESULTS_BUCKET")
    assert store.find(settings(bucket, RESULTS_BUCKET=bucket.name), "analyses", "K7") is None
    with pytest.raises(BadSetting, match="^RESULTS_BUCKET is missing: give the name of the bucket for results$"):
        store.find(settings(bucket), "analyses", "K7")


@pytest.mark.slow
@pytest.mark.parametrize("key", ["..", "../x", "a/../b", ".", "x" * 1_025, "ö" * 513])
def test_keys_that_no_object_gets_are_refused(key: str, bucket: Bucket) -> None:
    with pytest.raises(Rejected, match="^no object (gets|can have) the key"):
        S3Store(bucket.name).put(settings(bucket), "analyses", key, CONTENT, {})
    assert bucket.keys() == []


@pytest.mark.slow
@pytest.mark.parametrize("key", ["größe & x", "a/b", "a?b#c", "%2e%2e", "x" * 255, "+ +", "a b"])
def test_awkward_keys_are_kept_as_they_are(key: str, bucket: Bucket) -> None:
    given, store = settings(bucket), S3Store(bucket.name)
    store.put(given, "analyses", key, CONTENT, {})
    assert bucket.keys() == [key] and store.find(given, "analyses", key) is not None


def test_check_writes_reads_and_removes(bucket: Bucket) -> None:
    store = S3Store(bucket.name, template="results/{key}", gzip=True, tags=("experimentId",))
    said = store.look(settings(bucket))
    assert said == (f"s3://{bucket.name}/results/janitor-check was written, read and removed",) and bucket.keys() == []


def test_a_missing_package_is_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(Rejected, match="^the store results needs boto3: install Janitor with the extra 'aws'$"):
        S3Store("results").find(settings(bucket), "analyses", "K7")


@pytest.mark.slow
def test_a_store_can_be_handed_to_another_process(bucket: Bucket) -> None:
    store, given = S3Store(bucket.name, tags=["a"]), settings(bucket)
    store.put(given, "analyses", "K7", CONTENT, {})
    again = pickle.loads(pickle.dumps(store))
    assert again == store and again.find(given, "analyses", "K7").read(100) == CONTENT
    ours = store.find(given, "analyses", "K7")

    def act() -> None:
        theirs = store.find(given, "analyses", "K7")
        assert ours is not None and theirs is not None and theirs.client is not ours.client
        os._exit(7)

    assert code_of_child(act) == 7


@pytest.mark.slow
def test_a_client_is_made_once(bucket: Bucket) -> None:
    given, store = settings(bucket), S3Store(bucket.name)
    first, second = (store.put(given, "analyses", "K7", CONTENT, {}) for _ in range(2))
    assert first.client is second.client
    assert store.put(settings(bucket), "analyses", "K7", CONTENT, {}).client is not first.client
    assert replace(store).put(given, "analyses", "K7", CONTENT, {}).client is not first.client


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "bucket is missing: give either the bucket's name, or setting"),
        ({"bucket": "a", "setting": "B"}, "bucket is 'a': give either the bucket's name, or setting"),
        ({"bucket": "a", "template": "x"}, "template is 'x': give {key} in it, or all results were one object"),
        ({"bucket": "a", "template": "{id}{key}"}, "template is '{id}{key}': {id} is not known here"),
        ({"bucket": "a", "tags": [f"t{n}" for n in range(11)]}, "tags is "),
        ({"bucket": "a", "tags": "experimentId"}, "tags is 'experimentId': give a list or a mapping of up to 10"),
        ({"bucket": "a", "tags": ["a?"]}, "tags is 'a?': give names of up to 128 letters, digits"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        S3Store(**options)
    assert str(caught.value).startswith(says)


def test_half_an_access_key_is_told() -> None:
    with pytest.raises(JanitorError, match="AWS_SECRET_ACCESS_KEY is missing"):
        S3Store("a").find(Settings.load({"AWS_ACCESS_KEY_ID": "x"}, dotenv=None), "analyses", "K7")
