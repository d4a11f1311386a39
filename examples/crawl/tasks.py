"""The tasks of the example: plain functions, whose arguments and results are all that they share."""

import logging
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

import urllib3

from examples.crawl.site import serving
from janitor.errors import Skip
from janitor.runs import current_run

log = logging.getLogger(__name__)

Page = dict[str, Any]


class _Reader(HTMLParser):
    """Takes a page's title, words and links from its HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.words, self.links = "", list[str](), list[str]()
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        if tag == "a" and (link := dict(attrs).get("href")):
            self.links.append(link)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title = (self.title + data).strip()
        else:
            self.words += data.lower().split()

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


def crawl(site: str, pause: float = 0.1) -> dict[str, Any]:
    """Follow every link of a site, from its first page on; what each page has, and the links that lead nowhere.

    `pause` is how many seconds to wait between two pages.
    """
    run, http = current_run(), urllib3.PoolManager(retries=False, timeout=5.0)
    pages: dict[str, Page] = {}
    dead: dict[str, str] = {}
    with serving(site) as root:
        waiting, seen = deque([f"{root}/index.html"]), {f"{root}/index.html"}
        while waiting:
            address = waiting.popleft()
            answer = http.request("GET", address)
            path = address.removeprefix(root)
            if answer.status != 200:
                dead[path] = f"{answer.status} {answer.reason}"
                log.warning("%s%s leads nowhere: %s", site, path, dead[path])
            else:
                reader = _Reader()
                reader.feed(answer.data.decode("utf-8"))
                links = [urldefrag(urljoin(address, link)).url for link in reader.links]
                pages[path] = {"title": reader.title, "words": reader.words, "links": len(links)}
                for link in links:
                    if link.startswith(root) and link not in seen:
                        seen.add(link)
                        waiting.append(link)
            run.progress(len(pages) + len(dead), len(seen), site, "pages")
            run.sleep(pause)
    return {"site": site, "pages": pages, "dead": dead}


def process(crawled: Mapping[str, Any], top: int = 3) -> Generator[dict[str, int], None, dict[str, Any]]:
    """Count a site's words, page by page; its result has the `top` most frequent of more than four letters."""
    words: Counter[str] = Counter()
    pages: Mapping[str, Page] = crawled["pages"]
    if not pages:
        raise Skip(f"{crawled['site']} has no page")
    for number, (path, page) in enumerate(pages.items(), 1):
        longer = [word.strip(".,;:!?") for word in page["words"]]
        words.update(word for word in longer if len(word) > 4)
        current_run().progress(number, len(pages), crawled["site"], "words")
        yield {"pages": 1, "words": len(longer)}
    return {
        "site": crawled["site"],
        "pages": len(pages),
        "words": sum(len(page["words"]) for page in pages.values()),
        "dead": sorted(crawled["dead"]),
        "top": [word for word, _ in words.most_common(top)],
    }


def report(sites: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell of all sites together, a line each."""
    for site in sites:
        dead = f", dead links: {', '.join(site['dead'])}" if site["dead"] else ""
        text = "%s: %d pages, %d words, most of all %s%s"
        log.info(text, site["site"], site["pages"], site["words"], ", ".join(site["top"]), dead)
    return {"sites": len(sites), "pages": sum(site["pages"] for site in sites), "words": sum(s["words"] for s in sites)}
