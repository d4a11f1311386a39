"""The keyboard alone."""

import pytest
from playwright.sync_api import Page

from tests.web.browser.stage import Stage, run_of


@pytest.mark.slow
def test_the_keyboard_alone_is_enough(stage: Stage) -> None:
    with stage.page() as page:
        stage.go(page, "/jobs")
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        seen = list[str]()
        while "Run now" not in (words := focused(page)):
            assert len(seen) < 40, seen
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            marked = page.evaluate("document.activeElement.closest('svg') !== null")
            assert outline != "none" or marked or not seen, f"the focus is not seen on {words}"
            seen.append(words)
            page.keyboard.press("Tab")
        assert sum(word.startswith("Run ") for word in seen) == 1, "a strip is one stop"
        stage.go(page, "/jobs/labware_location")
        newest = page.locator("svg.plot a[tabindex='0']").first
        newest.focus()
        was = page.evaluate("document.activeElement.getAttribute('href')")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        now = page.evaluate("document.activeElement.getAttribute('href')")
        assert now != was
        page.keyboard.press("Enter")
        assert f"/runs/{run_of(page)}" == now


def focused(page: Page) -> str:
    """What has the focus, in words."""
    words = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    return " ".join(str(page.evaluate(words)).split())
