"""Data in the browser: what is on the page is what is in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.harbour import conversation, rows, write
from tests.fixtures.server import Server


def state_of(page: Page) -> Locator:
    """The state beside the title."""
    return page.locator("main header [data-state-name]")


def upload(page: Page, file: Path) -> None:
    """Give the file to the drop zone's picker and wait until its rows have been checked."""
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(file.stem)
    expect(state_of(page)).to_have_attribute("data-state-name", re.compile("ready|invalid"))


def test_faults_are_shown_by_row_and_change_with_the_data(open_page: OpenPage, tmp_path: Path) -> None:
    faulty: list[dict[str, object] | str] = [*rows()]
    faulty[4] = '{"messages": [{"role": "user", "content": "어디'
    faulty[9] = {"messages": [{"role": "user", "content": "언제요?"}, {"role": "assitant", "content": "지금요."}]}
    page = open_page("/data")
    upload(page, write(tmp_path / "항구.jsonl", faulty))

    expect(state_of(page)).to_have_attribute("data-state-name", "invalid")
    findings = page.get_by_test_id("findings").get_by_role("listitem")
    expect(findings).to_have_count(2)
    expect(findings.nth(0)).to_contain_text("Row 5")
    expect(findings.nth(1)).to_contain_text("Row 10")
    expect(findings.nth(1)).to_contain_text("/messages/1/role")
    expect(findings.nth(1)).to_contain_text("assitant")
    expect(page.get_by_role("link", name="Train with this")).to_have_count(0)

    page.get_by_test_id("finding-groups").get_by_role("link").nth(2).click()
    expect(findings).to_have_count(1)
    page.reload()
    expect(findings).to_have_count(1)
    expect(findings).to_contain_text("Row 10")

    page.get_by_role("link", name="Data", exact=True).first.click()
    upload(page, write(tmp_path / "항구-고침.jsonl", [*rows()]))
    expect(state_of(page)).to_have_attribute("data-state-name", "ready")
    expect(page.get_by_text("No problems found")).to_be_visible()
    expect(page.get_by_role("link", name="Train with this")).to_be_visible()


def test_every_figure_comes_from_the_file(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/data")
    for extra in (0, 3):
        asked = [conversation(f"{number}번 배는 언제 떠나나요?", f"{number}시에 떠납니다.") for number in range(extra)]
        content = [*rows(), *asked]
        upload(page, write(tmp_path / f"count-{extra}.jsonl", [*content]))
        expect(page.get_by_test_id("dataset-rows")).to_have_text(str(len(content)))
        page.get_by_role("link", name="Table", exact=True).click()
        grid = page.get_by_test_id("row-grid")
        expect(grid).to_have_attribute("aria-rowcount", str(len(content) + 1))
        page.get_by_label("Go to row").fill(str(len(content)))
        page.get_by_label("Go to row").press("Enter")
        last = grid.locator(f"[aria-rowindex='{len(content) + 1}']")
        expect(last).to_be_visible()
        if extra:
            expect(last).to_contain_text("2번 배는 언제 떠나나요?")
        page.get_by_role("link", name="Data", exact=True).first.click()


def test_split_makes_datasets_whose_rows_add_up(open_page: OpenPage, server: Server, tmp_path: Path) -> None:
    page = open_page("/data")
    upload(page, write(tmp_path / "split-me.jsonl", [*rows()]))
    page.get_by_role("link", name="Split", exact=True).click()
    page.get_by_label("Training (%)").fill("60")
    expect(page.get_by_role("alert")).to_contain_text("80 %")
    expect(page.get_by_role("button", name="Split", exact=True)).to_be_disabled()
    page.get_by_label("Test (%)").fill("30")
    page.get_by_role("button", name="Split", exact=True).click()
    parts = page.get_by_test_id("split-parts").get_by_role("listitem")
    expect(parts).to_have_count(3)
    counted = [int(text.split(" row")[0].split("\n")[-1]) for text in parts.all_inner_texts()]
    assert sum(counted) == len(rows())
    parts.first.get_by_role("link").click()
    expect(page.get_by_test_id("dataset-rows")).to_have_text(str(counted[0]))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\xff\xfe" * 40),
    ],
)
def test_a_file_that_is_no_data_is_refused_with_a_sentence_and_a_hint(
    open_page: OpenPage, tmp_path: Path, name: str, content: bytes
) -> None:
    page = open_page("/data")
    file = tmp_path / name
    file.write_bytes(content)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("What to do:")
    assert len(refusal.inner_text().splitlines()) >= 3
    expect(page).to_have_url(f"{page.url.split('/app/')[0]}/app/data")


def test_columns_that_no_format_knows_are_mapped_by_a_person(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/data")
    file = tmp_path / "table.csv"
    file.write_bytes(b"colour,weight\nred,three\nblue,four\n")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(re.compile(r"/app/data/uploads/\d+"))
    columns = page.get_by_test_id("mapping-columns").get_by_role("listitem")
    expect(columns).to_have_count(2)
    columns.nth(0).get_by_role("combobox").select_option("question")
    columns.nth(1).get_by_role("combobox").select_option("answer")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("table")
    expect(page.get_by_test_id("dataset-rows")).to_have_text("2")


def test_a_fix_is_seen_before_it_is_made_and_can_be_taken_back(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/data")
    faulty: list[dict[str, object] | str] = [*rows()]
    faulty[9] = {"messages": [{"role": "user", "content": "언제요?"}, {"role": "assitant", "content": "지금요."}]}
    upload(page, write(tmp_path / "고칠것.jsonl", faulty))
    page.get_by_role("button", name="Fix what can be fixed").click()
    preview = page.get_by_test_id("preview")
    expect(preview).to_contain_text("assitant")
    preview.get_by_role("button", name="Apply as a new version").click()
    expect(page.get_by_test_id("derivation-notice")).to_be_visible()
    expect(state_of(page)).to_have_attribute("data-state-name", "ready")
    page.get_by_test_id("derivation-notice").get_by_role("button", name="Undo").click()
    expect(state_of(page)).to_have_attribute("data-state-name", "invalid")


def test_the_xray_shows_the_counts_of_the_api(open_page: OpenPage, server: Server, tmp_path: Path) -> None:
    page = open_page("/data")
    upload(page, write(tmp_path / "xray.jsonl", [*rows()]))
    page.get_by_role("link", name="Mask X-ray").click()
    made = int(re.search(r"/data/(\d+)", page.url)[1])  # type: ignore[index]
    asked = server.http.post(f"/api/v1/admin/training/datasets/{made}/xray", params={"wait": 30}, json={"limit": 1})
    expect(page.get_by_test_id("trained-tokens")).to_have_text(f"{asked.json()['counts']['trained_tokens']:,}")
    expect(page.get_by_test_id("xray-rows").get_by_role("listitem").first).to_be_visible()


def test_a_dropped_file_is_taken(open_page: OpenPage) -> None:
    page = open_page("/data")
    page.get_by_test_id("drop-zone").evaluate(
        """(zone) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(['{"prompt": "a", "completion": "b"}'], "떨어진 파일.jsonl"));
          zone.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: transfer }));
        }"""
    )
    expect(page.get_by_label("Name", exact=True)).to_have_value("떨어진 파일")


def test_a_dataset_that_does_not_exist_says_so(open_page: OpenPage) -> None:
    page = open_page("/data/424242")
    expect(page.get_by_role("alert")).to_contain_text("There is no such dataset")
