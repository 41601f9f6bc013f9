"""What is around every page: language, theme, addresses, keyboard, small screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage

ADDRESSES = ("/", "/data", "/train", "/runs", "/models", "/chat")


def test_language_follows_the_browser_and_then_the_choice(open_page: OpenPage) -> None:
    page = open_page("/data", locale="ko-KR")
    expect(page.get_by_role("heading", level=1)).to_have_text("데이터")
    expect(page.locator("html")).to_have_attribute("lang", "ko")

    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_theme_is_remembered_from_the_first_paint(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("radio", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/app/data", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("radio", name="Light").click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_open_by_address_and_fit_on_a_phone(open_page: OpenPage, address: str, locale: str) -> None:
    page = open_page(address, locale=locale, width=390, height=844)
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    current = page.locator("nav a[aria-current=page]:visible")
    expect(current).to_have_count(1)


def test_keyboard_reaches_the_content_and_the_pages(open_page: OpenPage) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.get_by_role("link", name="Data", exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where things stand")


def test_an_address_that_does_not_exist_leads_back(open_page: OpenPage) -> None:
    page = open_page("/no/such/page")
    expect(page.get_by_role("heading", level=1)).to_have_text("This page does not exist")
    page.get_by_role("link", name="Go to Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where things stand")
