"""No answer about a dataset, and no report of a job, shows personal data as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx

from benchmarks.data_pii import LABELLED, read_labelled
from tests.domains.datasets.conftest import PATH, Upload, Work


async def test_no_answer_shows_what_the_doctor_found(
    upload: Upload, work: Work, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    rows = read_labelled(LABELLED)
    values = sorted({row.text[start:end] for row in rows for _, start, end in row.spans})
    lines = [
        json.dumps({"prompt": f"{n}: {row.text}", "completion": "네"}, ensure_ascii=False) for n, row in enumerate(rows)
    ]
    made = (await upload("상담.jsonl", "\n".join(lines))).json()
    await work()
    path = f"{PATH}/{made['id']}"
    asked = await client.post(f"{path}/validate", params={"wait": 0}, json={"check_duplicates": False})
    await work()
    job = asked.json()["links"]
    answers = [
        made,
        (await client.get(path)).json(),
        (await client.get(job["self"])).json(),
        (await client.get(job["result"])).json(),
    ]
    page = 1
    while (found := (await client.get(f"{path}/findings", params={"page": page, "page_size": 100})).json())["items"]:
        answers.append(found)
        page += 1
    codes = {item["code"] for answer in answers for item in answer.get("items", [])}
    assert len({code for code in codes if code.startswith("pii-")}) == 13
    said = json.dumps(answers, ensure_ascii=False)
    assert [value for value in values if value in said] == []
    numbers = {digits for value in values if len(digits := re.sub(r"\D", "", value)) >= 7}
    assert numbers & set(re.findall(r"\d+", said)) == set()
