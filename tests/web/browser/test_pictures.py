"""The pictures of the dashboard in the documentation; made with `--screenshots` only."""

import pytest

from tests.web.browser.stage import PHONE, Stage


@pytest.mark.slow
def test_pictures_for_the_readme(stage: Stage) -> None:
    if not stage.pictures:
        pytest.skip("pictures are made with --screenshots")
    with stage.page(expected="404") as page:
        for name, path in stage.pages().items():
            stage.go(page, path)
            stage.picture(page, name)
    with stage.page(color_scheme="dark") as page:
        stage.go(page, "/")
        stage.picture(page, "overview-dark")
    with stage.page(None, color_scheme="light") as page:
        stage.go(page, "/sign-in")
        stage.picture(page, "sign-in", whole=False)
    with stage.page(viewport=PHONE, color_scheme="dark", device_scale_factor=2) as page:
        stage.go(page, "/jobs")
        stage.picture(page, "jobs-phone", whole=False)
