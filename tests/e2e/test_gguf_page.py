"""The GGUF page in a browser: what to take, a conversion with rows of one's own, the file checked, the list cleared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.fixtures.server import Server
from tests.fixtures.tiny_models import write_tiny_model

pytestmark = [pytest.mark.long, pytest.mark.matrix]

CONVERT_MS = 240_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models") / "harbour")


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server], model: Path) -> Server:
    """A server with one dataset."""
    made = make_server(
        TUNESMITH_EXPORT__CERTIFICATE_PROMPTS="4",
        TUNESMITH_RUNTIME__START_TIMEOUT_SECONDS="600",
        TUNESMITH_MODELS__ALLOWED_ROOTS=str(model.parent),
    ).start()
    rows = '{"messages": [{"role": "user", "content": "역?"}, {"role": "assistant", "content": "강남역"}]}\n' * 4
    made.http.post(
        "/api/v1/admin/training/datasets",
        data={"name": "항구 안내"},
        files={"file": ("rows.jsonl", rows.encode())},
        params={"wait": 60},
    ).raise_for_status()
    return made


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.timeout(900)
def test_a_model_is_converted_checked_and_counted(open_page: OpenPage, server: Server, model: Path) -> None:
    page = open_page("/models")
    page.get_by_role("link", name="GGUF").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("GGUF")
    table = page.get_by_role("table", name="Methods")
    expect(table.get_by_role("row")).to_have_count(11)
    expect(table.get_by_role("row").filter(has_text="Recommended")).to_contain_text("Q4_K")
    page.get_by_label("Size of the model at 16 bits, in GB").fill("60")
    expect(table.get_by_role("row").filter(has_text="Recommended")).to_contain_text("Q2_K")
    expect(page.get_by_text("Nothing has been converted yet")).to_be_visible()

    page.get_by_label("Model", exact=True).fill("/no/such/model")
    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Model", exact=True).fill(str(model))
    page.get_by_label("Method", exact=True).select_option("Q8_0")
    page.get_by_label("Importance matrix").select_option(label="항구 안내@1.0")
    page.get_by_label("Rows to look at").fill("3")
    page.get_by_label("Name of the files (optional)").fill("lighthouse")
    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_test_id("job-progress")).to_be_visible()
    history = page.get_by_role("table", name="What was converted")
    expect(history.locator("[data-state-name=succeeded]")).to_be_visible(timeout=CONVERT_MS)
    expect(history).to_contain_text("with an importance matrix")
    made = server.http.get("/gguf/history").json()["items"][0]["files"][0]
    expect(history).to_contain_text(made["path"])
    with page.expect_download() as started:
        history.get_by_role("link", name="Q8_0").click()
    assert Path(started.value.path()).read_bytes() == Path(made["path"]).read_bytes()
    assert started.value.suggested_filename == "lighthouse-Q8_0.gguf"

    page.get_by_label("Path on the server").fill(made["path"])
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("The file is sound.")).to_be_visible(timeout=CONVERT_MS)
    page.get_by_label("Path on the server").fill("exports/none.gguf")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_be_visible()

    phone = open_page("/gguf", locale="ko-KR", width=390, height=844)
    expect(phone.get_by_role("heading", name="변환 기록")).to_be_visible()
    expect(phone.get_by_text("중요도 행렬 사용")).to_be_visible()
    expect(phone.get_by_role("table", name="방법")).to_contain_text("사실상 같습니다")
    fits(phone)
    phone.get_by_role("button", name="기록 지우기").click()
    phone.get_by_role("alertdialog").get_by_role("button", name="기록 지우기").click()
    expect(phone.get_by_text("아직 변환한 것이 없습니다")).to_be_visible()
    assert Path(made["path"]).is_file()
