"""The Models page on a hub of this machine: found, looked at, fetched with a stop on the way, used, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.fixtures.hub_server import HubServer
from tests.fixtures.server import Server
from tests.fixtures.tiny_models import write_tiny_model


@pytest.fixture(scope="module")
def server(
    make_server: Callable[..., Server], hub: HubServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    model = write_tiny_model(tmp_path_factory.mktemp("source") / "model")
    hub.add("acme/harbour-chat", model, downloads=4200, slow_seconds=0.05)
    hub.add("acme/harbour-gated", model, gated="manual", downloads=90)
    pickled = hub.add("acme/harbour-pickled", model, downloads=1)
    pickled.files["pytorch_model.bin"] = pickled.files.pop("model.safetensors")
    running = make_server(
        TUNESMITH_MODELS__HUB_ENDPOINT=hub.url,
        TUNESMITH_MODELS__HUB_OFFLINE="0",
        TUNESMITH_MODELS__HF_HOME=str(tmp_path_factory.mktemp("hf")),
        TUNESMITH_MODELS__MIN_FREE_DISK_BYTES="1000",
    ).start()
    yield running
    running.close()


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def test_a_model_is_found_fetched_used_and_deleted(open_page: OpenPage, server: Server, hub: HubServer) -> None:
    page = open_page("/models")
    expect(card(page, "tunesmith/tiny")).to_contain_text("On this machine")
    page.get_by_role("radio", name="Hub").click()
    page.get_by_role("searchbox", name="Search models").fill("harbour")
    expect(page.get_by_role("heading", level=3)).to_have_text(
        ["acme/harbour-chat", "acme/harbour-gated", "acme/harbour-pickled"]
    )
    chat = card(page, "acme/harbour-chat")
    expect(chat).to_contain_text("351.7K parameters")
    expect(chat.get_by_role("list", name="Fits here")).to_contain_text("LoRA")
    chat.get_by_role("button", name="Details").click()
    expect(chat).to_contain_text("Qwen3ForCausalLM")
    chat.get_by_role("button", name="Download").click()

    downloads = page.get_by_test_id("downloads")
    expect(downloads.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"^[2-9]\d"))
    downloads.get_by_role("button", name="Cancel").click()
    expect(downloads).to_contain_text("download stopped")
    page.reload()
    expect(downloads).to_contain_text("acme/harbour-chat: download stopped")
    hub.repos["acme/harbour-chat"].slow_seconds = 0
    downloads.get_by_role("button", name="Resume").click()
    here = card(page, "acme/harbour-chat")
    expect(here).to_contain_text("On this machine")
    expect(downloads).to_have_count(0)
    expect(here.get_by_role("link", name="Train")).to_have_attribute("href", re.compile(r"/train\?base=acme"))

    here.get_by_role("link", name="Chat").click()
    expect(page).to_have_url(re.compile(r"/chat\?model=acme"))
    page.go_back()
    here.get_by_role("button", name="Details").click()
    here.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(here).to_have_count(0)
    assert not (server.data_dir / "models" / "acme").exists()


def test_what_cannot_be_fetched_says_why(open_page: OpenPage, server: Server) -> None:
    page = open_page("/models", locale="ko-KR", width=390, height=844)
    page.get_by_role("radio", name="Hub에서").click()
    page.get_by_role("searchbox").fill("harbour")
    pickled = card(page, "acme/harbour-pickled")
    pickled.get_by_role("button", name="자세히").click()
    expect(pickled).to_contain_text("tunesmith models convert")
    expect(pickled.get_by_role("button", name="받기")).to_have_count(0)
    gated = card(page, "acme/harbour-gated")
    expect(gated).to_contain_text("동의 필요")
    gated.get_by_role("button", name="자세히").click()
    gated.get_by_role("button", name="받기").click()
    expect(gated.get_by_role("alert")).to_contain_text("이 모델에는 토큰이 필요합니다")
    gated.get_by_label("접근 토큰").fill("hf_reader")
    gated.get_by_role("button", name="받기").click()
    expect(gated).to_contain_text("이 컴퓨터에 있음")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out on a phone"
