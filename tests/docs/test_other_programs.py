"""What pages say of other programs, tried on a real daemon: probes, and proxies before the dashboard."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.command_line import CommandLine, wait_for
from tests.docs import elsewhere
from tests.docs.blocks import Block, blocks
from tests.docs.project import DOCS
from tests.servers import free_port

PROXY_PAGE = DOCS / "how-to" / "put_it_behind_a_proxy.md"
Proxy = Callable[[Path, int, int], AbstractContextManager[None]]
PROGRAMS = f"{os.environ['PATH']}:/usr/sbin"
HOST = "janitor.lab.example"
TOKEN = "a-long-token-for-programs"
JOBS = ("LABWARE_LOCATION", "LABWARE_LOCATION_RECONCILE", "SEQUENCING_PUBLISHER", "SEQUENCING_PUBLISHER_RECONCILE")


@contextmanager
def daemon(folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """A daemon without jobs that are switched on; the port of its dashboard."""
    port = free_port()
    off = {f"{job}_ENABLED": "false" for job in JOBS}
    janitor = CommandLine(folder, environment={**off, **environment, "WEB_ENABLED": "true", "WEB_PORT": str(port)})
    with janitor.started() as process:
        wait_for(lambda: process.poll() is None and answers(port))
        yield port
        janitor.stopped(process)


def answers(port: int) -> bool:
    """Whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def block(page: Path, file: str) -> Block:
    """A file that a page shows."""
    return elsewhere.block_of(page, file, blocks(page))


@pytest.mark.slow
def test_the_probes_of_the_manifest_are_answered(tmp_path: Path) -> None:
    manifest = block(DOCS / "how-to" / "run_on_kubernetes.md", "janitor.yaml")
    pods = elsewhere.kubernetes_parts(manifest)[0]["template"]["spec"]
    given = {one["name"]: one["value"] for one in pods["containers"][0]["env"]}
    with daemon(tmp_path, {**given, "WEB_VIEWER_TOKEN": TOKEN}) as port:
        paths = list(elsewhere.probe_paths(manifest))
        assert set(paths) >= {"/health/live", "/health/ready"}
        # Whoever listens answers before the daemon leads: until then it is not ready.
        wait_for(lambda: [probed(port, path) for path in paths] == [200] * len(paths))


def probed(port: int, path: str) -> int:
    """What a probe gets, asked by the pod's address."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": "10.0.0.7:8080"})
        return connection.getresponse().status


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = block(DOCS / "how-to" / "run_with_systemd.md", "/etc/systemd/system/janitor.service")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n", encoding="utf-8")
    python.chmod(0o755)
    file = tmp_path / "janitor.service"
    file.write_text(unit.text.replace("/opt/janitor", str(tmp_path)), encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True)
    mine = [line for line in (checked.stdout + checked.stderr).splitlines() if "janitor" in line]
    assert checked.returncode == 0 and not mine, mine


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name of the page, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    paths = folder / "janitor.pem", folder / "janitor.key"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return paths


@contextmanager
def nginx(folder: Path, to: int, port: int) -> Iterator[None]:
    """nginx with the page's configuration; only ports and paths differ. Its own check must pass."""
    text = block(PROXY_PAGE, "janitor.conf").text.replace("127.0.0.1:8080", f"127.0.0.1:{to}")
    text = text.replace("443 ssl", f"127.0.0.1:{port} ssl").replace("/etc/ssl/", f"{folder}/")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid {folder}/pid;\ndaemon off;\nmaster_process off;\nerror_log stderr;\nevents {{}}\n"
    file = folder / "nginx.conf"
    file.write_text(f"{whole}http {{\naccess_log off;\n{paths}{text}}}\n", encoding="utf-8")
    words = [shutil.which("nginx", path=PROGRAMS) or "nginx", "-p", str(folder), "-c", str(file)]
    checked = subprocess.run([*words, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with proxy(words, folder, port):
        yield


@contextmanager
def caddy(folder: Path, to: int, port: int) -> Iterator[None]:
    """Caddy with the page's configuration; only ports differ, and the certificate is ours."""
    text = block(PROXY_PAGE, "Caddyfile").text.replace("127.0.0.1:8080", f"127.0.0.1:{to}")
    pem, key = folder / "janitor.pem", folder / "janitor.key"
    text = text.replace(f"{HOST} {{", f"{HOST}:{port} {{\n    tls {pem} {key}\n    bind 127.0.0.1")
    file = folder / "Caddyfile"
    file.write_text(f"{{\n    admin off\n    auto_https off\n}}\n{text}", encoding="utf-8")
    with proxy(["caddy", "run", "--config", str(file), "--adapter", "caddyfile"], folder, port):
        yield


@contextmanager
def proxy(words: list[str], folder: Path, port: int) -> Iterator[None]:
    """A proxy's process, for the length of a block."""
    process = subprocess.Popen(words, env={"PATH": PROGRAMS, "HOME": str(folder)}, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is None and answers(port))
        yield
    finally:
        process.terminate()
        process.communicate()


@dataclass
class Browser:
    """Somebody at another address, who comes by the proxy's name and keeps its cookies."""

    port: int
    folder: Path

    def ask(self, path: str, *more: str) -> str:
        """Send a request, with more of curl's options; the answer's head and body."""
        words = ["curl", "--silent", "--include", "--cacert", str(self.folder / "janitor.pem")]
        words += ["--connect-to", f"{HOST}:443:127.0.0.1:{self.port}", "--interface", "127.0.0.2"]
        words += ["--cookie", str(self.folder / "cookies"), "--cookie-jar", str(self.folder / "cookies"), *more]
        return subprocess.run([*words, f"https://{HOST}{path}"], capture_output=True, text=True).stdout

    def sign_in(self, password: str, site: str = f"https://{HOST}") -> str:
        """Send the form of the sign-in page, from a page of `site`."""
        return self.ask(
            "/sign-in", "--header", f"Origin: {site}", "--data", "user=", "--data-urlencode", f"password={password}"
        )


@pytest.mark.parametrize("kind", [nginx, caddy], ids=["nginx", "caddy"])
def test_a_person_signs_in_through_the_proxy(kind: Proxy, tmp_path: Path) -> None:
    name = kind.__name__
    if shutil.which(name, path=PROGRAMS) is None or shutil.which("curl") is None:
        pytest.skip(f"{name} or curl is not installed")
    certificate(tmp_path)
    environment = dict(line.split("=", 1) for line in block(PROXY_PAGE, ".env").text.splitlines())
    del environment["WEB_PORT"]
    with daemon(tmp_path, environment) as behind:
        port = free_port()
        with kind(tmp_path, behind, port):
            browser = Browser(port, tmp_path)
            assert " 401" in browser.sign_in("a wrong password").splitlines()[0]
            assert " 403" in browser.sign_in(TOKEN, "https://another.example").splitlines()[0]
            answer = browser.sign_in(TOKEN)
            assert " 303" in answer.splitlines()[0], answer
            assert re.search(r"set-cookie:.*; *secure", answer, re.IGNORECASE), answer
            assert " 200" in browser.ask("/history").splitlines()[0]
            assert "from 127.0.0.2" in browser.ask("/history")
            assert "event:" in browser.ask("/events", "--no-buffer", "--max-time", "3")
