"""What of the training data is in the data that models are judged by: counted, located, and found by the doctor."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.domains.datasets.conftest import PATH, Upload, Work

ANSWER = "The ferry leaves the north pier every day at noon and takes two hours and forty minutes to the island"
KOREAN = "해담 여객선은 매일 정오에 북항 제2부두를 떠나 섬까지 두 시간 사십 분 동안 운항합니다"


def pair(prompt: str, completion: str) -> dict[str, str]:
    return {"prompt": prompt, "completion": completion}


TRAIN = [
    pair("When does the ferry leave?", ANSWER),
    pair("Is there a toilet?", "Yes."),
    pair("배는 언제 떠나나요?", KOREAN),
    pair("What is two and two?", "Four."),
    pair("How long does it take from the north pier to the island on a day without much wind and waves?", "Long."),
]
TEST = [
    pair("Where can I park?", "Yes."),
    pair("when does the ferry leave", "At noon, I think."),
    pair("몇 시에 출발하나요?", KOREAN.replace("여객선은", "여객선이")),
    pair("What is the capital?", "Seoul."),
    pair("How long does it take from the north pier to the island on a day without much wind or waves?", "Two hours."),
]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


async def compared(client: httpx.AsyncClient, work: Work, dataset_id: int, **body: Any) -> dict[str, Any]:
    accepted = await client.post(f"{PATH}/{dataset_id}/leakage", params={"wait": 0}, json=body)
    assert accepted.status_code == 202, accepted.text
    await work()
    answer = (await client.get(accepted.json()["links"]["result"])).json()
    result: dict[str, Any] = answer["result"]
    return result


async def test_overlaps_are_counted_and_located(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    train = (await upload("a.jsonl", lines(TRAIN), name="questions")).json()["id"]
    test = (await upload("b.jsonl", "\n" + lines(TEST), name="exam")).json()["id"]
    found = await compared(client, work, train, against=[test], threshold=0.85)
    (against,) = found["against"]
    assert (against["name"], against["rows"], against["rows_leaked"]) == ("exam 1.0", 5, 3)
    assert against["prompt"] == {"exact": 1, "near": 1}
    assert against["answer"] == {"exact": 0, "near": 1}
    assert against["conversation"] == {"exact": 0, "near": 0}
    assert [(p["kind"], p["row"], p["line"], p["evaluation_row"], p["evaluation_line"]) for p in found["pairs"]] == [
        ("prompt", 1, 1, 2, 3),
        ("answer", 3, 3, 3, 4),
        ("prompt", 5, 5, 5, 6),
    ]
    assert [p["similarity"] for p in found["pairs"]] == [
        1.0,
        pytest.approx(0.94, abs=0.02),
        pytest.approx(0.89, abs=0.02),
    ]
    assert (found["rows_leaking"], found["pairs_total"], found["is_exact"]) == (3, 3, True)
    strict = await compared(client, work, train, against=[test], threshold=1, max_pairs=0)
    assert (strict["pairs"], strict["pairs_total"]) == ([], 1)


async def test_benchmarks_and_held_out_parts_are_compared_without_being_named(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    train = (await upload("a.jsonl", lines(TRAIN), name="ferry-train")).json()["id"]
    nothing = await client.post(f"{PATH}/{train}/leakage")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "evaluation-set-missing")
    kind = json.dumps({"kind": "benchmark"})
    quiz = (await upload("b.jsonl", lines(TRAIN[3:]), name="quiz", dataset_metadata=kind)).json()["id"]
    held_out = (await upload("c.jsonl", lines(TEST), name="ferry-test")).json()["id"]
    await upload("d.jsonl", lines(TEST), name="another-test")
    found = await compared(client, work, train, threshold=0.85)
    assert [(a["dataset_id"], a["rows_leaked"]) for a in found["against"]] == [(held_out, 3), (quiz, 2)]
    assert found["rows_leaking"] == 4
    for against in ([train], [99]):
        refused = await client.post(f"{PATH}/{train}/leakage", json={"against": against})
        assert (refused.status_code, refused.json()["code"]) == (422, "evaluation-set-missing")
    for wrong in ({"threshold": 0.4}, {"against": "all"}, {"against": [0]}, {"max_pairs": 99_999}, {"x": 1}):
        assert (await client.post(f"{PATH}/{train}/leakage", json=wrong)).status_code == 422
    assert (await client.post(f"{PATH}/99/leakage")).status_code == 404


async def test_the_doctor_finds_rows_that_are_in_the_test_data(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    test = (await upload("b.jsonl", lines(TEST), name="ferry-test")).json()["id"]
    train = (await upload("a.jsonl", lines(TRAIN), name="ferry-train")).json()["id"]
    await work()
    found = (await client.get(f"{PATH}/{train}/findings")).json()
    assert [(f["code"], f["severity"], f["row"], f["found"]) for f in found["items"]] == [
        ("leaks-into-evaluation", "amber", 1, "the same as row 2 of ferry-test 1.0")
    ]
    assert (await client.get(f"{PATH}/{test}/findings")).json()["total"] == 0
    again = await client.post(
        f"{PATH}/{train}/validate", params={"wait": 0}, json={"similarity_threshold": 0.85, "check_pii": False}
    )
    await work()
    result = (await client.get(again.json()["links"]["result"])).json()["result"]
    assert [f["row"] for f in result["findings"] if f["code"] == "leaks-into-evaluation"] == [1, 5]
    assert result["duplicates"]["by_code"] == {"leaks-into-evaluation": 2}
    assert result["score"] == int(100 * (1 - 2 * 0.25 / 5))


async def test_the_parts_of_a_split_do_not_leak_into_each_other(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    rows = [pair(f"Question number {n % 40}, please?", f"Answer {n}.") for n in range(120)]
    made = (await upload("a.jsonl", lines(rows))).json()["id"]
    accepted = await client.post(f"{PATH}/{made}/split", params={"wait": 0}, json={})
    await work()
    parts = (await client.get(accepted.json()["links"]["result"])).json()["result"]["parts"]
    train = (await client.get(f"{PATH}/{parts[0]['dataset_id']}")).json()
    assert "leaks-into-evaluation" not in train["findings_counts"]["by_code"]
    found = await compared(client, work, parts[0]["dataset_id"])
    assert [a["dataset_id"] for a in found["against"]] == [part["dataset_id"] for part in parts[1:]]
    assert (found["rows_leaking"], found["pairs_total"]) == (0, 0)


async def test_rows_that_cannot_be_read_are_counted_not_compared(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    train = (await upload("a.jsonl", lines([*TRAIN, {"prompt": "?"}]), name="questions")).json()["id"]
    test = (await upload("b.jsonl", lines(TEST) + "{\n", name="exam")).json()["id"]
    found = await compared(client, work, train, against=[test])
    assert (found["rows_skipped"], found["against"][0]["rows_skipped"]) == (1, 1)
