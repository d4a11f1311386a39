"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.servers import Servers

PACKAGES = ("APScheduler", "PyMySQL", "SQLAlchemy", "fastavro", "orjson", "pika")


def facts(servers: Servers) -> dict[str, object]:
    """Return cores, memory, Python, and the versions of servers and packages."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    with servers.broker.channel() as channel:
        rabbitmq = channel.connection._impl.server_properties["version"]  # type: ignore[attr-defined]
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "mariadb": servers.sql.execute("SELECT VERSION()")[0][0],
        "rabbitmq": rabbitmq.decode() if isinstance(rabbitmq, bytes) else str(rabbitmq),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
