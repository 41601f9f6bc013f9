"""Exploring a dataset over HTTP: one pass, every view, in Korean as well, and kept for the next question."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.domains.datasets.conftest import PATH, Upload, Work

ROWS = [
    {"instruction": f"{at}번 배는 몇 시에 출발합니까?", "output": f"{8 + at % 12}시에 출발합니다.", "price": 1000 * at, "score": at % 7 / 2}
    for at in range(200)
]  # fmt: skip


def jsonl(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


async def explored(client: httpx.AsyncClient, work: Work, dataset_id: int, view: str, **query: Any) -> dict[str, Any]:
    """The view, after a worker has done what waits."""
    address = f"{PATH}/{dataset_id}/eda/{view}"
    first = await client.get(address, params={**query, "wait": 0})
    assert first.status_code in (200, 202), first.text
    await work()
    answer = await client.get(address, params={**query, "wait": 0})
    assert answer.status_code == 200, answer.text
    if first.status_code == 202:
        job = (await client.get(f"/api/v1/admin/jobs/{first.json()['job_id']}")).json()
        assert job["state"] == "succeeded", job
        assert job["result"] == answer.json()
    document: dict[str, Any] = answer.json()
    return document


@pytest.fixture
async def dataset(upload: Upload, work: Work) -> int:
    made = (await upload("ferry.jsonl", jsonl(ROWS))).json()
    await work()
    return int(made["id"])


async def test_statistics_are_numpys(client: httpx.AsyncClient, work: Work, dataset: int) -> None:
    answer = await explored(client, work, dataset, "statistics")
    assert (answer["rows"], answer["unreadable_rows"], answer["columns_left_out"]) == (200, 0, [])
    columns = {column["column"]: column for column in answer["columns"]}
    prices = np.array([row["price"] for row in ROWS], dtype=float)
    numbers = columns["price"]["numbers"]
    assert numbers["count"] == 200
    assert numbers["exact"] is True
    for name, wanted in {
        "mean": prices.mean(),
        "std": prices.std(ddof=1),
        "min": prices.min(),
        "q1": np.quantile(prices, 0.25),
        "median": np.median(prices),
        "q3": np.quantile(prices, 0.75),
        "max": prices.max(),
    }.items():
        assert numbers[name] == pytest.approx(float(wanted), rel=1e-12), name
    text = columns["instruction"]["text"]
    assert text["languages"] == [{"language": "ko", "texts": 200, "share": 1.0}]
    assert text["characters"]["mean"] == np.mean([len(row["instruction"]) for row in ROWS])
    assert text["words"]["max"] == 5
    assert columns["output"]["distinct"] == {"value": 12, "exact": True, "relative_error": 0.0}
    assert columns["instruction"]["type"] == "text"
    assert columns["score"]["numbers"]["integers"] is False


async def test_one_pass_answers_every_view(client: httpx.AsyncClient, work: Work, dataset: int) -> None:
    await explored(client, work, dataset, "statistics")
    for view in ("missing-values", "value-distribution", "correlation", "summary"):
        answer = await client.get(f"{PATH}/{dataset}/eda/{view}", params={"wait": 0})
        assert answer.status_code == 200, (view, answer.text)
        assert answer.json()["view"] == view
        assert answer.json()["dataset_id"] == dataset
    jobs = (await client.get("/api/v1/admin/jobs", params={"kind": "explore"})).json()
    assert jobs["total"] == 1


async def test_the_same_content_is_explored_once(
    client: httpx.AsyncClient, work: Work, upload: Upload, dataset: int
) -> None:
    await explored(client, work, dataset, "statistics")
    again = (await upload("other.jsonl", jsonl(ROWS), name="Other")).json()
    answer = await client.get(f"{PATH}/{again['id']}/eda/statistics", params={"wait": 0})
    assert answer.status_code == 200
    assert answer.json()["dataset_id"] == again["id"]


async def test_questions_that_wait_are_joined(client: httpx.AsyncClient, dataset: int) -> None:
    address = f"{PATH}/{dataset}/eda/summary"
    first, second = [(await client.get(address, params={"wait": 0})).json() for _ in range(2)]
    assert first["job_id"] == second["job_id"]


async def test_missing_values_by_kind_and_together(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    rows: list[dict[str, Any]] = [
        {"instruction": "a", "output": "b", "note": "x", "city": "부산"},
        {"instruction": "a2", "output": "b", "note": None, "city": ""},
        {"instruction": "a3", "output": "b", "note": "  ", "city": "결측"},
        {"instruction": "a4", "output": "b", "city": "N/A"},
        {"instruction": "a5", "output": "b", "note": "-", "city": "제주"},
    ]
    made = (await upload("gaps.jsonl", jsonl(rows))).json()
    await work()
    answer = await explored(client, work, made["id"], "missing-values")
    columns = {column["column"]: column for column in answer["columns"]}
    kinds = ("absent", "null", "empty", "blank", "na_like")
    assert [columns["note"][kind] for kind in kinds] == [1, 1, 0, 1, 1]
    assert [columns["city"][kind] for kind in kinds] == [0, 0, 1, 0, 2]
    assert columns["note"]["missing"] == 4
    assert columns["note"]["share"] == 0.8
    assert answer["complete_rows"] == 1
    assert answer["patterns"] == [
        {"columns": ["note", "city"], "rows": 3, "share": 0.6},
        {"columns": [], "rows": 1, "share": 0.2},
        {"columns": ["note"], "rows": 1, "share": 0.2},
    ]
    assert answer["pairs"] == [{"a": "note", "b": "city", "both": 3, "overlap": 0.75}]


async def test_histogram_bins_and_top_values(client: httpx.AsyncClient, work: Work, dataset: int) -> None:
    answer = await explored(client, work, dataset, "value-distribution", column="price", bins=7, top=3)
    (column,) = answer["columns"]
    counts, edges = np.histogram([row["price"] for row in ROWS], bins=7)
    assert [bar["count"] for bar in column["histogram"]["bins"]] == counts.tolist()
    assert [bar["low"] for bar in column["histogram"]["bins"]] == pytest.approx(edges[:-1].tolist())
    assert len(column["top"]) == 3
    logarithmic = await explored(client, work, dataset, "value-distribution", column="price", bins=4, log=True)
    bars = logarithmic["columns"][0]["histogram"]["bins"]
    assert (bars[0]["low"], bars[0]["high"], bars[0]["count"]) == (0, 0, 1)
    growth = [bar["high"] / bar["low"] for bar in bars[1:]]
    assert growth == pytest.approx([growth[0]] * 4)
    assert sum(bar["count"] for bar in bars) == 200
    answers = await explored(client, work, dataset, "value-distribution", column="output", top=2)
    assert [value["count"] for value in answers["columns"][0]["top"]] == [17, 17]
    assert answers["columns"][0]["histogram"]["measure"] == "characters"


async def test_an_unknown_column_is_refused_by_name(client: httpx.AsyncClient, work: Work, dataset: int) -> None:
    await explored(client, work, dataset, "statistics")
    answer = await client.get(f"{PATH}/{dataset}/eda/value-distribution", params={"column": "prise"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "column-unknown"
    assert "`price`" in answer.json()["detail"]


async def test_correlation_of_numbers_and_lengths(client: httpx.AsyncClient, work: Work, dataset: int) -> None:
    pearson = await explored(client, work, dataset, "correlation")
    names = [measure["name"] for measure in pearson["measures"]]
    assert names == ["instruction (characters)", "output (characters)", "price", "score"]
    table = np.array(
        [[len(row["instruction"]), len(row["output"]), row["price"], row["score"]] for row in ROWS], dtype=float
    )
    assert np.allclose(np.array(pearson["coefficients"], dtype=float), np.corrcoef(table.T))
    assert {n for line in pearson["n"] for n in line} == {200}
    spearman = await explored(client, work, dataset, "correlation", method="spearman")
    ranks = np.array([_ranks(column) for column in table.T])
    assert np.allclose(np.array(spearman["coefficients"], dtype=float), np.corrcoef(ranks))
    assert (await client.get(f"{PATH}/{dataset}/eda/correlation", params={"method": "kendall"})).status_code == 422


def _ranks(values: np.ndarray[Any, Any]) -> list[float]:
    return [float(np.mean(np.flatnonzero(np.sort(values) == value))) for value in values]


async def test_summary_warns_of_what_a_person_should_act_on(
    client: httpx.AsyncClient, work: Work, upload: Upload
) -> None:
    rows = [
        {"id": at, "instruction": f"{at} 항구는?", "output": "부산입니다." if at % 20 else "제주입니다.", "memo": None, "same": 1}
        for at in range(120)
    ]  # fmt: skip
    made = (await upload("warn.jsonl", jsonl(rows))).json()
    await work()
    answer = await explored(client, work, made["id"], "summary")
    found = {(warning["code"], warning["column"]) for warning in answer["warnings"]}
    assert {
        ("empty-column", "memo"),
        ("constant-column", "same"),
        ("identifier", "id"),
        ("one-value-dominates", "output"),
    } <= found
    assert [warning["severity"] for warning in answer["warnings"]] == sorted(
        (warning["severity"] for warning in answer["warnings"]), key=["red", "amber", "green"].index
    )
    assert answer["statistics"]["rows"] == answer["correlation"]["rows"] == 120
    assert len(answer["value_distribution"]["columns"]) == 5


async def test_personal_data_is_not_shown(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    rows = [{"instruction": f"q{at}", "output": "a", "mail": "kim.minsu@example.com"} for at in range(3)]
    made = (await upload("mail.jsonl", jsonl(rows))).json()
    await work()
    answer = await explored(client, work, made["id"], "value-distribution", column="mail")
    assert "minsu" not in json.dumps(answer)
    assert answer["columns"][0]["top"][0]["count"] == 3


async def test_csv_columns_get_their_types(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    lines = ["prompt,completion,price,day,open,code"]
    lines += [
        f'질문 {at},답 {at},"{at},500",2024-03-{at:02d},{"예" if at % 2 else "아니오"},00{at}' for at in range(1, 10)
    ]
    made = (await upload("types.csv", "\n".join(lines))).json()
    await work()
    answer = await explored(client, work, made["id"], "statistics")
    columns = {column["column"]: column for column in answer["columns"]}
    types = {name: column["type"] for name, column in columns.items()}
    assert types == {
        "prompt": "text", "completion": "text", "price": "number", "day": "date", "open": "boolean", "code": "text"
    }  # fmt: skip
    assert columns["price"]["numbers"]["mean"] == 5500
    assert columns["price"]["as_text"] is True
    assert columns["day"]["dates"] == {"count": 9, "min": "2024-03-01", "median": "2024-03-05", "max": "2024-03-09"}
    assert columns["open"]["booleans"] == {"true": 5, "false": 4}


async def test_conversations_by_role_and_turn(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    def talk(pairs: int) -> dict[str, Any]:
        turns = [{"role": "system", "content": "배"}]
        for _ in range(pairs):
            turns += [{"role": "user", "content": "몇 시?"}, {"role": "assistant", "content": "여덟 시입니다."}]
        return {"messages": turns, "meta": {"source": "desk", "stars": pairs}}

    made = (await upload("talk.jsonl", jsonl([talk(1), talk(2), talk(12)]))).json()
    await work()
    answer = await explored(client, work, made["id"], "statistics")
    columns = {column["column"]: column for column in answer["columns"]}
    assert list(columns) == ["messages", "/meta/source", "/meta/stars"]
    conversation = columns["messages"]["conversation"]
    assert (conversation["turns"]["min"], conversation["turns"]["max"]) == (3, 25)
    assert [(role["role"], role["turns"]) for role in conversation["roles"]] == [
        ("system", 3),
        ("user", 15),
        ("assistant", 15),
    ]
    first, second, last = conversation["by_turn"][0], conversation["by_turn"][1], conversation["by_turn"][-1]
    assert first["roles"] == {"system": 1.0}
    assert second["characters"]["mean"] == 4
    assert (last["turn"], last["and_later"], last["characters"]["count"]) == (21, True, 5)


async def test_half_a_character_in_a_column_name_stops_nothing(
    client: httpx.AsyncClient, work: Work, upload: Upload
) -> None:
    rows = ['{"prompt": "a", "completion": "b", "\\ud800": "\\udc00x"}\n'] * 3
    made = (await upload("halves.jsonl", "".join(rows))).json()
    await work()
    for view in ("statistics", "missing-values", "value-distribution", "summary"):
        assert "\N{REPLACEMENT CHARACTER}" in json.dumps(
            await explored(client, work, made["id"], view), ensure_ascii=False
        ), view


async def test_unreadable_rows_are_told(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    content = jsonl(ROWS[:5]) + '{"instruction": "broken\n' + jsonl(ROWS[5:8])
    made = (await upload("broken.jsonl", content)).json()
    await work()
    answer = await explored(client, work, made["id"], "summary")
    assert (answer["rows"], answer["unreadable_rows"]) == (8, 1)
    assert answer["warnings"][0]["code"] == "unreadable-rows"


async def test_what_does_not_exist(client: httpx.AsyncClient) -> None:
    for view in ("statistics", "missing-values", "value-distribution", "correlation", "summary"):
        assert (await client.get(f"{PATH}/999/eda/{view}")).status_code == 404
    assert (await client.post(f"{PATH}/999/analyze-tokens")).status_code == 404
