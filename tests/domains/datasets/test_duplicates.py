"""Near duplicates through the front door: findings between the others, clusters to look through, the threshold that is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import parquet

import tunesmith
from tests.domains.datasets.conftest import PATH, Upload, Work

EXAMPLE = Path(tunesmith.__file__).parent / "bundle" / "examples" / "haedam-ferry"
LONG = "해담 여객선은 매일 정오에 북항 제2부두를 떠나 섬까지 두 시간 사십 분 동안 운항하며 표는 매표소에서 삽니다"
ENGLISH = " ".join(f"word{n}" for n in range(60))


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": [{"role": "system", "content": "You are kind. " * 40}, *turns], **more}


ROWS = [
    chat("언제 떠나나요?", LONG),
    chat("How far is it?", ENGLISH),
    chat("언제 떠나나요?", LONG.replace("여객선은", "여객선이")),
    chat("Write to me@example.com", "That cannot be said."),
    chat("HOW far is it", ENGLISH.upper() + "!"),
    chat("How far is it?", ENGLISH),
    chat("How far is it, then?", ENGLISH.replace("word7", "else")),
]


def lines(rows: list[Any]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"


async def validated(client: httpx.AsyncClient, work: Work, dataset_id: int, **body: Any) -> dict[str, Any]:
    accepted = await client.post(f"{PATH}/{dataset_id}/validate", params={"wait": 0}, json=body)
    assert accepted.status_code == 202, accepted.text
    await work()
    result: dict[str, Any] = (await client.get(accepted.json()["links"]["result"])).json()["result"]
    return result


async def test_findings_stand_between_the_others_and_name_the_other_row(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", "\n" + lines(ROWS))).json()
    result = await validated(client, work, made["id"], similarity_threshold=0.9)
    found = (await client.get(f"{PATH}/{made['id']}/findings")).json()
    assert [(f["code"], f["row"], f["line"], f["found"]) for f in found["items"]] == [
        ("blank-line", 1, 1, found["items"][0]["found"]),
        ("near-duplicate", 3, 4, "94 % the same as row 1"),
        ("pii-email", 4, 5, "m***@***.com"),
        ("near-duplicate", 5, 6, "100 % the same as row 2"),
        ("exact-duplicate", 6, 7, "the same as row 2"),
        ("near-duplicate", 7, 8, "95 % the same as row 2"),
    ]
    assert result["findings"] == found["items"]
    assert result["duplicates"]["by_code"] == {"exact-duplicate": 1, "near-duplicate": 3}
    assert (found["counts"]["amber"], found["counts"]["green"]) == (5, 1)
    assert result["score"] == int(100 * (1 - (5 * 0.25 + 0.02) / 7))
    near = (await client.get(f"{PATH}/{made['id']}/findings", params={"code": "near-duplicate"})).json()
    assert [f["row"] for f in near["items"]] == [3, 5, 7]
    gone = (await client.get(f"{PATH}/{made['id']}/findings", params={"code": "contradictory-answers"})).json()
    assert gone["total"] == 0


async def test_the_threshold_is_the_one_that_is_asked_for(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    await work()
    by_code = (await client.get(f"{PATH}/{made['id']}")).json()["findings_counts"]["by_code"]
    assert by_code["near-duplicate"] == 2
    strict = await validated(client, work, made["id"], similarity_threshold=1)
    assert strict["duplicates"]["by_code"] == {
        "contradictory-answers": 1,
        "exact-duplicate": 1,
        "near-duplicate": 1,
    }
    without = await validated(client, work, made["id"], check_duplicates=False)
    assert without["duplicates"] == {"checked": False, "total": 0, "by_code": {}}
    nobody = await client.get(f"{PATH}/{made['id']}/duplicates")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "dataset-not-ready")
    for wrong in (0.49, 1.01, "much"):
        answer = await client.post(f"{PATH}/{made['id']}/validate", json={"similarity_threshold": wrong})
        assert answer.status_code == 422


async def test_clusters_are_paged_with_the_largest_first(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    path = f"{PATH}/{made['id']}/duplicates"
    assert (await client.get(path)).json()["code"] == "dataset-not-ready"
    await validated(client, work, made["id"], similarity_threshold=0.9)
    found = (await client.get(path)).json()
    summary = {name: found[name] for name in ("total", "similarity_threshold", "rows_in_clusters", "is_exact")}
    assert summary == {"total": 2, "similarity_threshold": 0.9, "rows_in_clusters": 6, "is_exact": True}
    english, korean = found["items"]
    assert (english["size"], english["representative"]["row"]) == (4, 2)
    assert [(m["row"], m["line"], m["like_row"]) for m in english["members"]] == [(5, 5, 2), (6, 6, 2), (7, 7, 2)]
    assert english["members"][0]["similarity"] == 1
    assert english["members"][2]["similarity"] == pytest.approx(63 / 66, abs=1e-4)
    assert korean["members"][0]["excerpt"].startswith("언제 떠나나요?\\u000a해담 여객선이 매일")
    second = (await client.get(path, params={"page": 2, "page_size": 1})).json()
    assert second["items"] == [korean]
    last = (await client.get(path, params={"page_size": 1, "members": 1, "members_offset": 2})).json()
    assert [m["row"] for m in last["items"][0]["members"]] == [7]


async def test_excerpts_show_no_personal_data(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    row = chat("Who is it?", "Call 010-1234-5678 or write to kim@example.com.")
    made = (await upload("a.jsonl", lines([row, row]))).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/duplicates")).json()
    assert found["items"][0]["size"] == 2
    assert "1234" not in json.dumps(found)
    assert "kim@" not in json.dumps(found)


async def test_many_equal_rows_are_one_cluster_and_one_page(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", lines([chat("Hello?", f"Hello{'!' * (n % 3)}") for n in range(3000)]))).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/duplicates")).json()
    assert [(c["size"], len(c["members"])) for c in found["items"]] == [(3000, 20)]
    by_code = (await client.get(f"{PATH}/{made['id']}")).json()["findings_counts"]["by_code"]
    assert by_code == {"exact-duplicate": 2997, "near-duplicate": 2}


async def test_the_bundled_faults_are_found_and_nothing_else(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", (EXAMPLE / "train_with_faults.jsonl").read_bytes())).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/findings")).json()
    listed = [(f["kind"], f["row"], f["line"]) for f in json.loads((EXAMPLE / "faults.json").read_text())]
    assert [(f["code"], f["row"], f["line"]) for f in found["items"]] == listed
    assert found["counts"]["by_code"] == dict.fromkeys(sorted(kind for kind, _, _ in listed), 1)
    assert found["counts"]["amber"] + found["counts"]["red"] == found["total"] == len(listed)


async def test_rows_of_a_parquet_file_have_no_lines(
    upload: Upload, work: Work, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    table = pyarrow.Table.from_pylist([{"prompt": "When?", "completion": f"{ENGLISH}{end}"} for end in ("", "!")])
    parquet.write_table(table, tmp_path / "a.parquet")
    made = (await upload("a.parquet", (tmp_path / "a.parquet").read_bytes())).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/findings")).json()["items"]
    assert [(f["code"], f["row"], f["line"]) for f in found] == [("near-duplicate", 2, None)]
    (cluster,) = (await client.get(f"{PATH}/{made['id']}/duplicates")).json()["items"]
    assert (cluster["representative"]["line"], cluster["members"][0]["line"]) == (None, None)
