"""Finding a row by what it says: over HTTP, and slice by slice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.domains.datasets.conftest import PATH, Upload, Work
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.searching import LOOK_AT_CLOCK_EVERY, search_rows
from tunesmith.domains.datasets.source import RowSource

ROWS: list[Any] = [
    {
        "messages": [
            {"role": "user", "content": "몇 시에 여나요?"},
            {"role": "assistant", "content": "아홉 시에 엽니다."},
        ]
    },
    {
        "messages": [{"role": "user", "content": "Where is PIER 7?"}, {"role": "assistant", "content": "East."}],
        "fee": 12,
    },
    {"messages": [{"role": "user", "content": "요금은?"}, {"role": "assistant", "content": "아홉 명까지 무료입니다."}]},
]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


async def test_a_text_is_found_row_after_row_whatever_its_case(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    """Escaped Korean in the file, broken lines between, before and after the rows are indexed."""
    content = lines(ROWS[:2]) + '{"messages": [아홉\n' + lines(ROWS[2:])
    made = (await upload("rows.jsonl", content)).json()
    path = f"{PATH}/{made['id']}/rows/search"

    async def search(text: str, after: int = 0) -> tuple[int | None, bool]:
        found = (await client.get(path, params={"text": text, "after": after})).json()
        assert found["dataset_id"] == made["id"]
        return found["row"], found["complete"]

    for _ in range(2):
        assert await search("아홉") == (1, False)
        assert await search("아홉", 1) == (4, False)
        assert await search("아홉", 4) == (None, True)
        assert await search("pier 7") == (2, False)
        assert await search("12") == (2, False)
        assert await search("content") == (None, True)
        await work()
    assert (await client.get(path, params={"text": ""})).status_code == 422
    assert (await client.get(f"{PATH}/404/rows/search", params={"text": "a"})).status_code == 404


def test_a_long_search_stops_in_time_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(lines([{"prompt": str(number), "completion": "-"} for number in range(2000)]))
    source = RowSource(file, FileKind.JSONL, DataFormat.PROMPT_COMPLETION, 1 << 20)
    after, slices = 0, 0
    while (found := search_rows(source, None, "1999", after=after, seconds=0)).row is None:
        assert after < found.scanned_to <= after + 2 * LOOK_AT_CLOCK_EVERY
        assert not found.is_complete
        after = found.scanned_to
        slices += 1
    assert found.row == 2000
    assert slices > 3


async def test_findings_come_with_their_kinds_the_most_severe_first(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    rows = [*ROWS, {"messages": [{"role": "usr", "content": "?"}, {"role": "assistant", "content": "!"}]}, ROWS[0]]
    made = (await upload("rows.jsonl", lines(rows))).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/findings", params={"severity": "amber"})).json()
    kinds = [(group["code"], group["severity"], group["count"], group["fixable"]) for group in found["groups"]]
    assert kinds == [
        ("unknown-role", "red", 1, True),
        ("exact-duplicate", "amber", 1, True),
        ("extra-field", "green", 1, False),
    ]
    assert all(group["title"] and group["fix"] for group in found["groups"])
    assert {finding["severity"] for finding in found["items"]} == {"amber"}
