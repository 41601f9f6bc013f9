"""The tour of all data calls, on small files: a Korean CSV file in CP949 and conversations in JSON Lines."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.tour_data import drive, write_csv, write_jsonl
from tests.fixtures.server import Server

WORKBENCH = 14


async def test_every_data_call_in_one_run(server: Server, tmp_path: Path) -> None:
    csv_file = write_csv(tmp_path / "배 시간표.csv", 120)
    jsonl_file = write_jsonl(tmp_path / "conversations.jsonl", 120_000)
    taken = await drive(server.url, tmp_path, csv_file, jsonl_file)
    for calls in taken.values():
        assert sum(name.partition(" ")[2].startswith("/dataset/") for name in calls) == WORKBENCH
        assert sum("/dataset/" not in name for name in calls) >= 35
