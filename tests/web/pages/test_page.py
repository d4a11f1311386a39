"""What all pages share: they escape, have landmarks, and show nothing to strangers."""

from html import escape

from tests.web import house
from tests.web.pages.furnished import PAGES, House, every_page
from tests.web.visitor import Visitor


def test_every_page_opens_and_escapes_what_it_shows(made: House) -> None:
    shown = 0
    for page in every_page(made):
        assert page.status == (404 if page.path in ("/nowhere", "/jobs/nobody") else 200), page.path
        assert house.HOSTILE not in page.text, page.path
        shown += escape(house.HOSTILE) in page.text
        for tag, attributes in page.read.tags:
            assert tag != "style" and "style" not in attributes, (page.path, tag)
            assert tag != "script" or (attributes.get("src") or "").startswith("/static/"), (page.path, attributes)
            assert not [name for name in attributes if name.startswith("on")], (page.path, attributes)
            assert not (attributes.get("src") or attributes.get("href") or "").startswith(("http", "//")), page.path
    assert shown >= 8


def test_every_page_has_its_landmarks_and_one_heading(made: House) -> None:
    titles = set()
    for page in every_page(made):
        tags = [tag for tag, _ in page.read.tags]
        assert (tags.count("main"), tags.count("h1"), tags.count("header"), tags.count("footer")) == (1, 1, 1, 1)
        titles.add(page.text.partition("<title>")[2].partition("</title>")[0])
        ids = [attributes["id"] for _, attributes in page.read.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), page.path
        fields = [attributes for tag, attributes in page.read.tags if tag in ("input", "select")]
        labels = {attributes.get("for") for tag, attributes in page.read.tags if tag == "label"}
        assert all(one.get("type") == "hidden" or one.get("id") in labels for one in fields), page.path
    assert len(titles) >= 9


def test_nobody_sees_anything_without_signing_in(made: House) -> None:
    stranger = Visitor(made.operator.address)
    for path in (*PAGES, "/runs/1"):
        page = stranger.get(path)
        assert page.path.startswith("/sign-in") and "labware" not in page.words, path
