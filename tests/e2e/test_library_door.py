"""The door in a real browser: who does not say who they are sees no document."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import axe
from tests.serving import serving
from ui.people import add


@pytest.fixture(scope="module")
def app(built_in_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    users = tmp_path_factory.mktemp("users") / "people"
    add(users, "ada", "correct horse")
    with serving(built_in_index, "--users", users) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_a_name_and_a_password_open_the_app(
    browser: Browser, app: str, width: int, scheme: str
) -> None:
    left: list[str] = []
    with browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        page.on(
            "request", lambda asked: None if asked.url.startswith(app) else left.append(asked.url)
        )
        page.goto(f"{app}#doc-campaign-plan-no-01.md")
        assert "Cambodia" not in page.content()
        axe.check(page)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("do not go together")
        expect(page.get_by_label("Name")).to_have_value("ada")
        axe.check(page)
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.locator("#question").wait_for()
        assert page.url.endswith("#doc-campaign-plan-no-01.md")  # a link leads there after the door
        if width > 860:
            page.get_by_role("link", name="Sign out").click()
        else:
            page.goto(f"{app}logout")
        expect(page.get_by_label("Password")).to_be_visible()
    assert [url for url in left if not url.startswith((app, "data:", "blob:"))] == []
