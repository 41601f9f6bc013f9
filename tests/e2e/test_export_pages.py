"""Exports in a browser: the wizard recommends, follows and delivers; the certificate shows every prompt, also one that fails."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.domains.registry.publications import finished_job, publication
from tests.e2e.conftest import OpenPage
from tests.fixtures.server import Server
from tests.fixtures.tiny_models import write_tiny_adapter, write_tiny_model
from tunesmith.bootstrap import build
from tunesmith.settings import load_settings

pytestmark = [pytest.mark.long, pytest.mark.matrix]

MODELS = "/api/v1/admin/models"
EXPORT_MS = 150_000


async def seed(folder: Path) -> int:
    """A finished training whose model's answers are known, without training anything."""
    services = build(load_settings(data_dir=folder))
    await services.start()
    try:
        base, adapter = write_tiny_model(folder / "tiny"), write_tiny_adapter(folder / "adapter")
        return await finished_job(
            services, {"publication": publication(adapter, base_path=str(base), base_model=str(base))}
        )
    finally:
        await services.close()


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    """A server with one registered version."""
    made = make_server(TUNESMITH_EXPORT__CERTIFICATE_PROMPTS="4", TUNESMITH_RUNTIME__START_TIMEOUT_SECONDS="600")
    made.data_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as pool:  # Playwright's own loop runs in this thread
        job_id = pool.submit(asyncio.run, seed(made.data_dir)).result()
    made.start()
    made.http.post(f"{MODELS}/register", json={"job_id": job_id, "model_name": "harbour"}).raise_for_status()
    return made


def version(server: Server) -> int:
    """Id of the only version."""
    return int(server.http.get(MODELS).json()["items"][0]["id"])


def newest(server: Server) -> dict[str, Any]:
    """The newest export of it."""
    export: dict[str, Any] = server.http.get(f"{MODELS}/{version(server)}/exports").json()["items"][0]
    return export


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.timeout(600)
def test_an_export_is_chosen_followed_downloaded_and_proved(open_page: OpenPage, server: Server) -> None:
    page = open_page(f"/models/{version(server)}")
    wizard = page.get_by_role("region", name="Export this version")
    expect(wizard).to_contain_text("Recommended: GGUF Q8_0")
    wizard.get_by_label("Format").select_option("mlx")
    expect(wizard.get_by_role("alert")).to_contain_text("optional part")
    expect(wizard.get_by_role("button", name="Export", exact=True)).to_be_disabled()
    wizard.get_by_label("Format").select_option("ollama")
    expect(wizard).to_contain_text("on disk")
    wizard.get_by_label("Format").select_option("gguf")
    wizard.get_by_role("button", name="Export", exact=True).click()
    expect(wizard.get_by_test_id("job-progress")).to_be_visible()
    expect(page.locator("[data-certificate=passed]")).to_be_visible(timeout=EXPORT_MS)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    data = Path(started.value.path()).read_bytes()
    assert hashlib.sha256(data).hexdigest() == newest(server)["sha256"]
    assert started.value.suggested_filename == "harbour-1.0.0-Q8_0.gguf"
    page.get_by_text("How to run it").click()
    expect(page.get_by_text("llama-server -m harbour-1.0.0-Q8_0.gguf")).to_be_visible()

    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Parity certificate")
    expect(page.locator("[data-check=token_agreement][data-passed=true]")).to_be_visible()
    expect(page.locator("details[data-same=true]")).to_have_count(4)
    page.locator("details").first.locator("summary").click()
    expect(page.locator("details").first).to_contain_text("<|im_start|>assistant")
    expect(page.locator("details").first).to_contain_text("역")
    page.get_by_role("switch", name="Only those that differ").click()
    expect(page.get_by_text("All prompts are answered alike.")).to_be_visible()

    # A file that is damaged afterwards fails, names the check, and is shown as what it is, in Korean on a phone too.
    export = newest(server)
    file = Path(export["path"])
    file.write_bytes(file.read_bytes()[:-4096])
    path = f"{MODELS}/{version(server)}/exports/{export['id']}"
    accepted = server.http.post(f"{path}/certify", params={"wait": 0}).json()
    server.wait_for_job(accepted["job_id"])
    page = open_page(f"/models/{version(server)}/exports/{export['id']}", locale="ko-KR", width=390, height=844)
    expect(page.locator("[data-check=file_intact][data-passed=false]")).to_contain_text("파일이 온전함")
    fits(page)
    page = open_page(f"/models/{version(server)}", locale="ko-KR", width=390, height=844)
    expect(page.locator("[data-certificate=failed]")).to_be_visible()
    expect(page.get_by_text("인증에 실패했습니다")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="삭제").click()
    page.get_by_role("alertdialog").get_by_role("button", name="삭제").click()
    expect(page.get_by_text("아직 내보낸 것이 없습니다.")).to_be_visible()
    assert not file.exists()
