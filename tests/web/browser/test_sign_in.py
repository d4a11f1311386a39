"""Signing in, as a person does."""

import pytest
from playwright.sync_api import expect

from tests.web.browser.stage import PASSWORD, Stage, sign_in


@pytest.mark.slow
def test_nobody_comes_in_without_a_password(stage: Stage) -> None:
    with stage.page(None, expected="401 (Unauthorized)") as page:
        sign_in(stage, page, "olga", "not the password", "/jobs/labware_location")
        expect(page.get_by_role("alert")).to_contain_text("do not fit")
        assert "/sign-in" in page.url and page.get_by_label("User").input_value() == "olga"
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("labware_location")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        stage.go(page, "/jobs")
        assert "/sign-in" in page.url
