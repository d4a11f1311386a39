"""A site of the example, served from its folder on a free port of this machine, for as long as it is crawled."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITES = Path(__file__).parent / "sites"


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the crawl tells what it found."""


@contextmanager
def serving(site: str) -> Iterator[str]:
    """Serve a site; the address of its root, such as `http://127.0.0.1:41234`.

    Raises:
        ValueError: there is no such site.
    """
    known = sorted(folder.name for folder in SITES.iterdir() if folder.is_dir())
    if site not in known:
        raise ValueError(f"there is no site {site}: the sites are {', '.join(known)}")
    handler = functools.partial(_Quiet, directory=str(SITES / site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name=f"site {site}", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
