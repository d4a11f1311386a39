"""All of it by one command: `python -m examples.worker.demo`. Ctrl-C, or `--seconds N`, ends it.

It starts a Redis server, a server for queues (moto), one for buckets (SeaweedFS), the page, the compute worker and the
daemon, each on a free port of this machine, and puts one request after the other into the queue. It needs redis-server,
node with npm, and the packages of the Pipfile's category dev-packages.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KEY, SECRET, REGION, BUCKET, QUEUE = "worker-example", "open-sesame-3", "us-east-1", "results", "requests.fifo"
START_SECONDS = 60.0
NO_EXTRAS = ("master.telemetry=false", "s3.port.iceberg=0", "s3.port.lance=0", "s3.iam=false")


def main(arguments: Sequence[str] | None = None) -> int:
    """Start everything, send the requests, and wait; the exit code."""
    given = _parse(arguments)
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(_folder()))
        ports = {name: free_port() for name in ("redis", "sqs", "s3", "page", "compute", "web")}
        environment = _start_servers(stack, folder, ports)
        sqs = stack.enter_context(closing(_client("sqs", environment["AWS_ENDPOINT_URL_SQS"])))
        s3 = stack.enter_context(closing(_client("s3", environment["AWS_ENDPOINT_URL_S3"])))
        queue = sqs.create_queue(QueueName=QUEUE, Attributes={"FifoQueue": "true"})["QueueUrl"]
        s3.create_bucket(Bucket=BUCKET)
        daemon = [sys.executable, "-m", "examples.worker.pipeline"]
        stack.enter_context(started(daemon, folder / "daemon.log", environment))
        wait_for_http(f"http://127.0.0.1:{ports['web']}/health/live", folder / "daemon.log")
        print(f"the page:       http://127.0.0.1:{ports['page']}/")
        print(f"the dashboard:  http://127.0.0.1:{ports['web']}/pipelines/analyses")
        print(f"the logs:       {folder}", flush=True)
        compute = stack.enter_context(Compute(ports["compute"], folder / "compute.log"))
        while given.wait_for is not None and not given.wait_for.exists():
            time.sleep(0.1)
        _send_all(sqs, queue, given.pause)
        _go_on(compute, given.seconds)
        _tell(s3)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.worker.demo", description="A queue worker for analyses.")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many seconds")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two requests")
    parser.add_argument("--folder", type=Path, help="keep everything in this folder; else it is a temporary one")
    parser.add_argument("--wait-for", type=Path, help="send the first request once this file is there")
    return parser.parse_args(arguments)


@contextmanager
def _folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="janitor-worker-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_servers(stack: ExitStack, folder: Path, ports: dict[str, int]) -> dict[str, str]:
    """Start all servers but the compute worker; the environment of the daemon."""
    redis = ["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    stack.enter_context(started(redis, folder / "redis.log"))
    moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(ports["sqs"])]
    stack.enter_context(started(moto, folder / "sqs.log"))
    stack.enter_context(
        started(_weed(folder, ports["s3"]), folder / "s3.log", {"HOME": str(folder), "TMPDIR": str(folder)})
    )
    redis_url = f"redis://127.0.0.1:{ports['redis']}/0"
    wait_for_port(ports["redis"], folder / "redis.log")
    page = ["node", str(HERE / "page" / "server.js"), str(ports["page"]), redis_url]
    stack.enter_context(started(page, folder / "page.log", {"NODE_PATH": str(node_modules())}))
    for name in ("sqs", "page"):
        wait_for_port(ports[name], folder / f"{name}.log")
    wait_for_http(f"http://127.0.0.1:{ports['s3']}/status", folder / "s3.log")
    return {
        "STATE_DATABASE_URL": f"sqlite:///{folder / 'state.db'}",
        "HEARTBEAT_FILE": str(folder / "heartbeat"),
        "WEB_PORT": str(ports["web"]),
        "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{ports['sqs']}",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "REDIS_URL": redis_url,
        "REQUESTS_QUEUE": QUEUE,
        "RESULTS_BUCKET": BUCKET,
        "COMPUTE_URL": f"http://127.0.0.1:{ports['compute']}",
    }


def _weed(folder: Path, port: int) -> list[str]:
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    users = {"identities": [{"name": "worker", "credentials": credentials, "actions": actions}]}
    (folder / "s3.json").write_text(json.dumps(users))
    (folder / "s3").mkdir()
    parts = {f"{part}.port{kind}": free_port() for part in ("master", "volume", "filer") for kind in ("", ".grpc")}
    options: dict[str, object] = {
        "dir": folder / "s3",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        **parts,
        "s3.port": port,
        "s3.port.grpc": free_port(),
        "s3.config": folder / "s3.json",
        "master.volumeSizeLimitMB": 64,
    }
    beside = Path(sys.executable).parent / "weed"
    program = str(beside) if beside.exists() else "weed"
    return [program, "server", "-s3", *(f"-{name}={value}" for name, value in options.items())] + [
        f"-{option}" for option in NO_EXTRAS
    ]


def node_modules() -> Path:
    """The packages that package.json states; they are installed beside it once."""
    folder = HERE / "node_modules"
    given = os.environ.get("NODE_PATH")
    if given:
        return Path(given)
    if not (folder / ".package-lock.json").exists():
        print("npm ci, once ...", flush=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
    return folder


def _client(service: str, url: str) -> Any:
    return boto3.session.Session().client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=SECRET
    )


def _send_all(sqs: Any, queue: str, pause: float) -> None:
    """Put each payload into the queue, and the first once more."""
    names = ["count", "embed", "genes", "no_cells", "expired", "malformed", "unknown", "crash", "count"]
    for number, name in enumerate(names):
        body = (HERE / "payloads" / f"{name}.json").read_text()
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=name, MessageDeduplicationId=str(number))
        print(f"sent {name}", flush=True)
        time.sleep(pause)


def _go_on(compute: "Compute", seconds: float) -> None:
    end = time.monotonic() + seconds
    with suppress(KeyboardInterrupt):
        while time.monotonic() < end:
            compute.keep_up()
            time.sleep(0.2)


def _tell(s3: Any) -> None:
    """Print what lies in the bucket."""
    for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=BUCKET, Key=one["Key"])["TagSet"]}
        print(f"stored {one['Key']}: {one['Size']} bytes, {tags}")


class Compute:
    """The compute worker, started again each time that it crashes."""

    def __init__(self, port: int, log: Path) -> None:
        self._port, self._log = port, log
        self._stack = ExitStack()

    def __enter__(self) -> "Compute":
        """Start it."""
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._stack.close()

    def keep_up(self) -> None:
        """Start it again if it has ended."""
        if self._process.poll() is not None:
            print("the compute worker has crashed, and is started again", flush=True)
            self._stack.close()
            self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "examples.worker.compute", str(self._port)]
        self._process = self._stack.enter_context(started(command, self._log))


@contextmanager
def started(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """A program, during the block; what it prints goes to a file."""
    with open(log, "ab") as file:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for_port(port: int, log: Path) -> None:
    """Wait until a server takes connections.

    Raises:
        SystemExit: it does not come up; the last lines of its log are told.
    """

    def answers() -> bool:
        with socket.create_connection(("127.0.0.1", port), 2):
            return True

    _wait(answers, log)


def wait_for_http(url: str, log: Path) -> None:
    """Wait until a server answers a request.

    Raises:
        SystemExit: as for `wait_for_port`.
    """

    def answers() -> bool:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status < 500)

    _wait(answers, log)


def _wait(answers: Any, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with suppress(OSError):
            if answers():
                return
        time.sleep(0.1)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise SystemExit(f"a server did not start: its log {log} ends with\n{last}")


if __name__ == "__main__":
    sys.exit(main())
