"""The chat page on the bundled model: answers, branches, comparison, settings, what is kept; in Korean, and on a phone in English."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.fixtures.server import Server

ANSWER_MS = 120_000
DONE = "[data-role=assistant]:not([data-growing])"
CONVERSATIONS = "/api/v1/admin/conversations"


def ask(page: Page, text: str, box: str, answers: int) -> None:
    field = page.get_by_role("textbox", name=box, exact=True)
    field.fill(text)
    field.press("Enter")  # not the page's keyboard: a dialog that closes may take the focus back
    expect(page.locator(DONE)).to_have_count(answers, timeout=ANSWER_MS)


def test_a_conversation_branches_is_rated_and_kept(open_page: OpenPage, server: Server) -> None:
    page = open_page("/chat?model=tunesmith/tiny", locale="ko-KR")
    page.get_by_role("button", name="설정").click()
    page.get_by_label("시스템 프롬프트").fill("짧게 답하세요.")
    page.get_by_role("radio", name="정확하게").click()
    page.get_by_role("button", name="설정").click()
    ask(page, "새벽호는 몇 시에 출발하나요?", "메시지", 1)
    ask(page, "고마워요", "메시지", 2)
    expect(page.locator("[data-tokens]")).to_have_text(re.compile(r"^\d+/1,024$"))

    # The answer again is a branch beside the first; so is an edited question, and one can go back.
    page.get_by_role("button", name="다시 묻기").last.click()
    expect(page.get_by_text("2/2")).to_be_visible(timeout=ANSWER_MS)
    page.get_by_role("button", name="고쳐서 다시 묻기").first.click()
    page.get_by_role("textbox", name="질문 고치기").fill("등대는 어디 있나요?")
    page.keyboard.press("Enter")
    expect(page.locator(DONE)).to_have_count(1, timeout=ANSWER_MS)
    page.get_by_role("button", name="이전 버전").first.click()
    expect(page.locator(DONE)).to_have_count(2)
    page.reload()
    expect(page.locator(DONE)).to_have_count(2)

    # What the page shows is what the server keeps.
    conversation = int(re.findall(r"chat=(\d+)", page.url)[0])
    kept = server.http.get(f"{CONVERSATIONS}/{conversation}").json()
    assert (kept["system_prompt"], len(kept["turns"]), len(kept["path"])) == ("짧게 답하세요.", 7, 4)
    page.get_by_role("button", name="좋은 답").first.click()
    expect(page.get_by_role("button", name="좋은 답").first).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="보관").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("^JSON 모든")).click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["id"] == conversation
    page.get_by_role("button", name="보관").click()
    page.get_by_role("menuitem", name=re.compile("데이터셋 만들기")).click()
    page.get_by_label("데이터셋 이름").fill("항구 대화")
    page.get_by_role("button", name="만들기", exact=True).click()
    page.get_by_role("link", name="보러 가기").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("항구 대화")


def test_two_models_side_by_side_on_a_phone_and_old_conversations(open_page: OpenPage, server: Server) -> None:
    page = open_page("/chat?model=tunesmith/tiny&beside=tunesmith/tiny", width=390, height=844)
    ask(page, "When does it leave?", "Your message", 2)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    page.get_by_role("button", name="New conversation").first.click()
    expect(page.locator(DONE)).to_have_count(0)
    page.get_by_role("button", name="Conversations", exact=True).click()
    page.get_by_role("searchbox").fill("When does it")
    entry = page.locator("#chat-list li").first
    entry.get_by_role("button", name=re.compile("^Rename")).click()
    page.get_by_role("textbox", name=re.compile("^Rename")).fill("Departures")
    page.keyboard.press("Enter")
    expect(page.locator("#chat-list li").first).to_contain_text("Departures")
    page.locator("#chat-list li").first.get_by_role("button").first.click()
    expect(page.locator(DONE)).to_have_count(1)

    # What a model writes is Markdown, and never markup: a block of code can be copied, a script is text.
    answer = "```python\nprint(1)\n```\n<img src=x onerror=alert(1)> **bold**"
    page.route(
        "**/answers",
        lambda route: route.fulfill(
            content_type="text/event-stream",
            body="".join(
                f"data: {json.dumps(event)}\n\n"
                for event in ({"type": "start"}, {"type": "reasoning", "text": "hm"}, {"type": "delta", "text": answer})
            )
            + 'data: {"type": "error", "error": {"title": "Cut", "status": 503, "detail": "cut", "code": "runtime-crashed"}}\n\n',
        ),
    )
    page.get_by_role("textbox", name="Your message", exact=True).fill("code?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copy the code")).to_be_visible()
    expect(page.locator("[data-role=assistant] strong")).to_have_text("bold")
    assert page.locator("[data-role=assistant] img").count() == 0
    reasoning = page.locator("[data-reasoning] button")
    expect(reasoning).to_have_attribute("aria-expanded", "false")
    reasoning.click()
    expect(page.locator("[data-reasoning]")).to_contain_text("hm")
