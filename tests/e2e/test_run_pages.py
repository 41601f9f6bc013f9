"""Runs compared, the queue, jobs, the system and the command palette in a browser; the engine only pretends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.harbour import rows, write
from tests.fixtures.server import Server

JOBS = "/api/v1/admin/finetuning/jobs"
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that pretends to train, with two runs that have ended."""
    running = make_server(TUNESMITH_TRAINING__ENGINE="fake").start()
    file = write(tmp_path_factory.mktemp("rows") / "harbour.jsonl", [*rows()])
    uploaded = running.http.post(
        "/api/v1/admin/training/datasets",
        files={"file": ("harbour.jsonl", file.read_bytes())},
        data={"name": "harbour"},
    ).json()
    running.wait_for_job(uploaded["job_id"], "succeeded")
    for name, rate in (("first", 0.001), ("second", 0.003)):
        running.wait_for_job(start(running, name, learning_rate=rate), "succeeded")
    yield running
    running.close()


def start(server: Server, name: str, priority: int = 0, **training: Any) -> int:
    plan = {
        "name": name,
        "model": {"base": "tunesmith/tiny"},
        "data": {"train": "dataset:harbour@1.0"},
        "training": {"max_steps": 20, "save_steps": 5, **training},
        "evaluate": {"enabled": False},
    }
    answer = server.http.post(JOBS, json=plan, params={"priority": priority})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_runs_are_compared(open_page: OpenPage) -> None:
    page = open_page("/runs")
    page.get_by_role("checkbox", name=re.compile("Compare first")).check()
    page.get_by_role("checkbox", name=re.compile("Compare second")).check()
    page.get_by_role("link", name="Compare (2)").click()
    page.wait_for_url("**/runs/compare?ids=*")
    differences = page.get_by_role("table", name="Where the recipes differ")
    row = differences.get_by_role("row", name=re.compile("training.learning_rate"))
    expect(row).to_contain_text("0.001")
    expect(row).to_contain_text("0.003")
    expect(differences.get_by_role("row", name=re.compile("^(name|training)"))).to_have_count(2)
    expect(page.get_by_role("table", name="Figures").get_by_role("row", name=re.compile("Updates"))).to_contain_text(
        "20"
    )
    expect(page.get_by_test_id("overlay").locator("canvas")).to_have_count(6)
    page.reload()
    expect(page.get_by_test_id("overlay").locator("canvas").first).to_be_visible()


def test_a_run_is_found_and_its_checkpoints_and_itself_are_cared_for(open_page: OpenPage, server: Server) -> None:
    run = start(server, "doomed 100%")
    server.wait_for_job(run, "succeeded")
    page = open_page("/runs", locale="ko-KR")
    page.get_by_role("searchbox", name="이름으로 찾기").fill("100%")
    expect(page.locator("[data-row-link]")).to_have_count(1)
    page.locator("[data-row-link]").click()
    checkpoints = page.get_by_role("table", name="체크포인트")
    oldest = checkpoints.get_by_role("row").last
    oldest.get_by_role("button", name="보관").click()
    expect(oldest).to_contain_text("보관됨")
    oldest.get_by_role("button", name="삭제").click()
    page.get_by_role("alertdialog").get_by_role("button", name="삭제").click()
    expect(checkpoints.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="삭제").first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="실행 삭제하기").click()
    page.wait_for_url("**/app/runs")
    assert server.http.get(f"{JOBS}/{run}").status_code == 404


def test_the_queue_and_all_jobs(open_page: OpenPage, server: Server) -> None:
    first, second, third = start(server, "one"), start(server, "two"), start(server, "three", priority=7)
    page = open_page("/jobs")
    expect(page.get_by_test_id("devices")).to_contain_text("/cpu")
    for run in (first, third, second):
        server.wait_for_job(run, "succeeded")
    begun = [server.http.get(f"{JOBS}/{run}").json()["started_at"] for run in (third, second)]
    assert begun == sorted(begun), "the more urgent one went first"
    page.get_by_role("radio", name="All jobs").click()
    page.get_by_role("combobox", name="Kind").select_option("train")
    page.get_by_role("searchbox", name="Search by name").fill("two")
    expect(page.locator("[data-row-link]")).to_have_count(1)
    page.locator("[data-row-link]").click()
    expect(page.locator("main header [data-state-name]")).to_have_attribute("data-state-name", "succeeded")
    page.get_by_text("Result", exact=True).click()
    expect(page.get_by_text(f'"run_id": {second}')).to_be_visible()
    page.get_by_role("link", name="Open the run").click()
    page.wait_for_url(f"**/runs/{second}")


def test_the_palette_leads_to_the_system_by_keyboard(open_page: OpenPage, server: Server) -> None:
    page = open_page("/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    box.fill("system")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/system")
    expect(page.get_by_role("table", name="Workers").get_by_role("row")).to_have_count(2)
    expect(page.get_by_test_id("resources").locator("canvas").first).to_be_visible()
    version = server.http.get("/api/v1/admin/system/versions").json()["version"]
    expect(page.get_by_text(version, exact=True)).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("한국어")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("시스템")


def test_the_form_says_when_to_use_what_and_bears_a_server_without_forecast(open_page: OpenPage) -> None:
    page = open_page("/train")
    expect(page.get_by_role("radio", name=re.compile("^LoRA"))).to_be_checked()
    expect(page.get_by_text("The right start nearly always")).to_be_visible()
    page.get_by_role("button", name="Measure").click()
    said = page.get_by_text("This server cannot forecast yet.").or_(page.get_by_test_id("forecast"))
    expect(said.or_(page.get_by_text("Measuring")).first).to_be_visible()
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()


@pytest.mark.parametrize("address", ["/runs", "/jobs", "/system", "/train"])
def test_on_a_phone_nothing_is_cut_off(open_page: OpenPage, address: str) -> None:
    page = open_page("/", locale="ko-KR", **PHONE)
    page.get_by_role("button", name="검색과 명령").click()
    page.get_by_role("combobox").fill(address)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/app{address}")
    page.locator("h1").first.wait_for()
    fits(page)
