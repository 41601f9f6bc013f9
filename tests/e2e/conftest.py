"""A real browser on a real server: the built interface, Chromium from the system, one page a test.

Every page is watched: an address outside this machine, an error in the console or an exception in a script fails the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.fixtures.server import Server

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "src" / "tunesmith" / "bundle" / "ui" / "index.html"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
MAC_CHROMIUM = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 30_000

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def built_ui() -> None:
    """The interface as `make ui` builds it; instant when nothing has changed."""
    if shutil.which("npm"):
        subprocess.run(["sh", "tools/build_ui.sh"], cwd=ROOT, check=True, capture_output=True, timeout=280)
    assert BUILT.is_file(), "The web interface is not built: install Node 20 and run `make ui`."


@pytest.fixture(scope="module")
def browser(built_ui: None) -> Iterator[Browser]:
    """Chromium, once for a module: while it lives an event loop runs in this thread, and no asynchronous test could."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    found = found or next(filter(os.path.exists, MAC_CHROMIUM), None)
    assert found, "Chromium is not installed: run `make services`."
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Call it with an address of the interface, and with a language or a screen size where they matter."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch(page: Page) -> None:
        def on_request(url: str) -> None:
            if not url.startswith((server.url, "data:", "blob:")):
                faults.append(f"asked for {url}")

        page.on("request", lambda request: on_request(request.url))
        page.on("pageerror", lambda error: faults.append(f"script failed: {error}"))
        page.on(
            "console", lambda message: faults.append(f"console: {message.text}") if is_fault(message.text) else None
        )

    def is_fault(text: str) -> bool:
        return "Content Security Policy" in text or "Warning:" in text or "Uncaught" in text

    def open_(address: str = "/", *, locale: str = "en-US", width: int = 1366, height: int = 900) -> Page:
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, base_url=server.url, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(f"/app{address}")
        page.locator("h1").first.wait_for(state="attached")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []
