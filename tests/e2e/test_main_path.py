"""The main job in a browser, in Korean, on data that is not the example: data, training, run, chat."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.harbour import rows, write
from tests.fixtures.server import Server

pytestmark = [pytest.mark.early, pytest.mark.matrix]

TRAINING_MS = 150_000
RECIPE = """\
# 항구 안내
version: 1
name: 항구 첫 학습
model:
  base: tunesmith/tiny
data:
  train: "dataset:항구@1.0"
  split:
    train: 0.75
    validation: 0.25
training:
  max_steps: 80
  batch_size: 2
  learning_rate: 0.002
  save_steps: 4
register:
  name: harbour
"""


def state_of(page: Page, *names: str) -> None:
    """Wait until what the page is about is in one of these states."""
    badge = page.locator("main header [data-state-name]")
    expect(badge).to_have_attribute("data-state-name", re.compile("|".join(names)), timeout=TRAINING_MS)


def shows_what_the_api_says(page: Page, server: Server) -> int:
    """The run page has the API's step, its number of checkpoints and its last line of the log; answers the step."""
    path = f"/api/v1/admin/finetuning/jobs/{page.url.rsplit('/', 1)[1]}"
    run = server.http.get(path).json()
    checkpoints = server.http.get(f"{path}/checkpoints").json()["total"]
    last_line = server.http.get(f"{path}/logs").json()["lines"][-1]["message"]
    expect(page.get_by_text(f"{run['total_steps']}단계 중 {run['current_step']}", exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="체크포인트").get_by_role("row")).to_have_count(checkpoints + 1)
    expect(page.get_by_role("log").locator("p").last).to_contain_text(last_line)
    return int(run["current_step"])


@pytest.mark.timeout(600)
def test_from_a_file_to_a_model_that_answers(open_page: OpenPage, server: Server, tmp_path: Path) -> None:
    page = open_page("/", locale="ko-KR")
    page.get_by_role("link", name="데이터 올리기").click()
    page.locator("input[type=file]").set_input_files(write(tmp_path / "항구.jsonl", [*rows()]))
    page.get_by_role("button", name="올리기", exact=True).click()
    state_of(page, "ready")

    # The form and the recipe follow each other, and a fault is shown where it is.
    page.get_by_role("link", name="이 데이터로 학습").click()
    recipe = page.get_by_label("YAML 레시피")
    expect(recipe).to_have_value(re.compile("dataset:항구@1.0"))
    page.get_by_label("에폭").fill("7")
    expect(recipe).to_have_value(re.compile("epochs: 7"))
    page.get_by_label("학습률").fill("10")
    expect(page.get_by_label("학습률")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="학습 시작")).to_be_disabled()
    recipe.fill(RECIPE.replace("0.002", "0.003"))
    expect(page.get_by_label("학습률")).to_have_value("0.003")
    page.get_by_label("학습률").fill("0.002")
    expect(recipe).to_have_value(RECIPE)
    page.reload()
    expect(recipe).to_have_value(RECIPE)
    page.get_by_role("button", name="학습 시작").click()

    # The run is live; stopped it keeps what it has, a refresh loses nothing, and it can be resumed.
    page.wait_for_url("**/app/runs/*")
    expect(page.locator("[data-metric=loss]")).to_have_text(re.compile(r"\d"), timeout=TRAINING_MS)
    expect(page.get_by_test_id("curves").locator("canvas").first).to_be_visible()
    expect(page.get_by_role("log").locator("p").first).to_be_visible()
    expect(page.get_by_role("table", name="체크포인트")).to_be_visible(timeout=TRAINING_MS)
    page.get_by_role("button", name="멈추기").click()
    state_of(page, "stopped")
    stopped_at = shows_what_the_api_says(page, server)
    assert 0 < stopped_at < 80
    page.reload()
    state_of(page, "stopped")
    assert shows_what_the_api_says(page, server) == stopped_at
    expect(page.get_by_test_id("curves").locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="이어서 하기").click()
    state_of(page, "running", "completed")
    state_of(page, "completed")
    assert shows_what_the_api_says(page, server) == 80

    # The result stands beside the base's, and both answer in the chat.
    comparison = page.get_by_test_id("comparison")
    expect(comparison.locator("[data-measure=data-loss]")).to_be_visible(timeout=TRAINING_MS)
    expect(page.locator("[data-stage=register]")).to_have_attribute(
        "data-stage-state", "succeeded", timeout=TRAINING_MS
    )
    page.get_by_role("link", name="채팅에서 비교하기").click()
    page.get_by_role("textbox", name="메시지").fill("등대은 몇 시에 여나요?")
    page.keyboard.press("Enter")
    answers = page.locator("[data-role=assistant]:not([data-growing]) .prose")
    expect(answers).to_have_count(2, timeout=TRAINING_MS)
    tuned = page.locator('[data-conversation="harbour@1.0.0"] .prose')
    expect(tuned).to_have_text(re.compile(r"\S"))
    said = tuned.inner_text()
    page.reload()
    expect(tuned).to_have_text(said)

    # What was made is listed where one looks for it.
    page.get_by_role("link", name="모델", exact=True).first.click()
    page.get_by_role("link", name=re.compile("^harbour")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("harbour@1.0.0")
    expect(page.get_by_text("tunesmith/tiny").first).to_be_visible()
    page.get_by_role("link", name="홈", exact=True).first.click()
    expect(page.get_by_role("link", name="항구 첫 학습")).to_be_visible()
    expect(page.get_by_role("link", name="harbour@1.0.0")).to_be_visible()
