"""Columns under other names: proposed from names and contents, decided by a person, remembered for the next file."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.domains.datasets.conftest import PATH, Upload, Work
from tunesmith.domains.datasets.mapping import SURE, propose

LONG = "배는 매일 정오에 제2부두에서 떠나고, 돌아오는 배는 오후 네 시에 있습니다."

SURELY: list[tuple[list[str], str, dict[str, str]]] = [
    (["질문", "답변"], "qa", {"질문": "question", "답변": "answer"}),
    (["번호", "문의 내용", "상담원 답변"], "qa", {"문의 내용": "question", "상담원 답변": "answer"}),
    (["지시문", "입력", "출력"], "alpaca", {"지시문": "instruction", "입력": "input", "출력": "output"}),
    (["instruction", "context", "response"], "alpaca", {"context": "input", "response": "output"}),
    (["prompt", "response"], "prompt_completion", {"response": "completion"}),
    (["user", "assistant"], "prompt_completion", {"user": "prompt", "assistant": "completion"}),
    (["Customer_Question", "AgentAnswer"], "qa", {"Customer_Question": "question", "AgentAnswer": "answer"}),
    (["qestion", "answr"], "qa", {"qestion": "question", "answr": "answer"}),
    (["question", "preferred", "rejected"], "preference", {"question": "prompt", "preferred": "chosen"}),
    (
        ["프롬프트", "선호 답변", "비선호 답변"],
        "preference",
        {"프롬프트": "prompt", "선호 답변": "chosen", "비선호 답변": "rejected"},
    ),
    (["질문", "좋은 답", "나쁜 답"], "preference", {"질문": "prompt", "좋은 답": "chosen", "나쁜 답": "rejected"}),
    (["prompt", "good_answer", "bad_answer"], "preference", {"good_answer": "chosen", "bad_answer": "rejected"}),
    (["시스템 프롬프트", "질문", "답"], "qa", {"시스템 프롬프트": "system", "질문": "question", "답": "answer"}),
    (["본문"], "text", {"본문": "text"}),
]


@pytest.mark.parametrize(("columns", "fmt", "mapping"), SURELY)
def test_names_in_two_languages_are_known(columns: list[str], fmt: str, mapping: dict[str, str]) -> None:
    best = propose(columns, [])[0]
    assert (best.format, best.mapping) == (fmt, mapping)
    assert best.confidence >= SURE


def test_conversations_are_told_by_what_the_column_holds() -> None:
    turns = [{"from": "human", "value": "언제?"}, {"from": "gpt", "value": "정오."}]
    [best, *_] = propose(["id", "log"], [{"id": 1, "log": turns}])
    assert (best.format, best.mapping) == ("sharegpt", {"log": "conversations"})


def test_without_names_the_content_is_proposed_but_not_taken() -> None:
    rows: list[dict[str, Any]] = [
        {"c1": f"{n}번 배는 언제 떠나나요?", "c2": f"{n}. {LONG}", "c3": "부두"} for n in range(4)
    ]
    [best, *_] = propose(["c1", "c2", "c3"], rows)
    assert (best.format, best.mapping) == ("qa", {"c1": "question", "c2": "answer"})
    assert best.confidence < SURE


def test_numbers_and_categories_are_nothing() -> None:
    assert propose(["a", "b"], [{"a": "1", "b": "x"}, {"a": "2", "b": "x"}]) == []


async def test_a_decision_is_used_validated_and_remembered(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    text = "c1,c2,c3\n" + "".join(
        f"{n}번 배는 언제 떠나나요?,{n}. {LONG.replace(',', '')},부두 {n}\n" for n in range(4)
    )
    refused = (await upload("a.csv", text)).json()
    assert refused["code"] == "missing-columns"
    assert refused["proposals"][0]["mapping"] == {"c1": "question", "c2": "answer"}
    made = (await upload("a.csv", text, column_mapping='{"c1": "prompt", "c3": "prompt", "c2": "completion"}')).json()
    assert (made["format"], made["source"]["mapping"]) == ("prompt_completion", "given")
    await work()
    row = (await client.get(f"{PATH}/{made['id']}/preview")).json()["rows"][1]["data"]
    assert row["prompt"] == "1번 배는 언제 떠나나요?\n\n부두 1"
    decided = await client.put(f"{PATH}/{made['id']}/mapping", json={"mapping": {"c1": "question", "c2": "answer"}})
    assert decided.status_code == 200, decided.text
    assert (decided.json()["format"], decided.json()["status"]) == ("qa", "validating")
    await work()
    assert (await client.get(f"{PATH}/{made['id']}")).json()["findings_counts"]["by_code"]["mapped-columns"] == 1
    proposed = (await client.post(f"{PATH}/mapping", json={"columns": ["c3", "c2", "c1"]})).json()
    assert (proposed["saved"], proposed["format"]) == (True, "qa")
    assert proposed["mapping"] == {"c1": "question", "c2": "answer"}
    another = (await upload("b.csv", text.replace("언제", "어디서"), name="B")).json()
    assert (another["format"], another["source"]["mapping"]) == ("qa", "saved")
    assert another["column_mapping"] == {"c1": "question", "c2": "answer"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"mapping": {"nothing": "prompt"}}, "column-mapping"),
        ({"mapping": {"question": "frage"}}, "column-mapping"),
        ({"format": "alpaca", "mapping": {"question": "instruction"}}, "missing-columns"),
        ({"format": "text", "mapping": {}}, "missing-columns"),
        ({"mapping": {}, "colour": 1}, "validation"),
    ],
)
async def test_a_mapping_that_does_not_fit_is_refused(
    upload: Upload, client: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    made = (await upload("a.csv", "question,answer\nwhen?,at noon\n")).json()
    answer = await client.put(f"{PATH}/{made['id']}/mapping", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await client.get(f"{PATH}/{made['id']}")).json()["column_mapping"] is None


async def test_a_proposal_needs_a_file_or_columns(client: httpx.AsyncClient) -> None:
    for body in ({}, {"columns": []}, {"columns": ["a"], "upload_id": 1}):
        assert (await client.post(f"{PATH}/mapping", json=body)).status_code == 422
    assert (await client.post(f"{PATH}/mapping", json={"upload_id": 1})).status_code == 404
    rows = [{"c1": "언제 떠나나요?", "c2": LONG}]
    found = (await client.post(f"{PATH}/mapping", json={"columns": ["c1", "c2"], "sample_rows": rows})).json()
    assert (found["format"], found["saved"]) == ("qa", False)
    nothing = (await client.post(f"{PATH}/mapping", json={"columns": ["x"]})).json()
    assert (nothing["format"], nothing["alternatives"]) == (None, [])


async def test_a_mapping_is_proposed_for_a_dataset_that_exists(client: httpx.AsyncClient, upload: Upload) -> None:
    made = (await upload("a.csv", "질문,답변\n언제?,정오.\n어디?,부두.\n")).json()
    answer = (await client.post(f"{PATH}/mapping", json={"dataset_id": made["id"]})).json()
    assert (answer["columns"], answer["mapping"]) == (["질문", "답변"], {"질문": "question", "답변": "answer"})
    assert answer["sample_rows"] == [{"질문": "언제?", "답변": "정오."}, {"질문": "어디?", "답변": "부두."}]
    assert (await client.post(f"{PATH}/mapping", json={"dataset_id": 99})).status_code == 404
    both = await client.post(f"{PATH}/mapping", json={"dataset_id": made["id"], "columns": ["a"]})
    assert both.status_code == 422
