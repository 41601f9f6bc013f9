"""Every data call there is, in one scripted run: the 14 of the workbench and those of the control plane.

It knows the program through its client alone. `test_tour_data.py` runs it on small files; by hand, on as much as one likes:

    python -m tests.e2e.tour_data --size-gib 2

starts a server, drives it over a CP949 CSV and a JSON Lines file of that size, and prints how long each call took and how much
memory server and worker held at most.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.tour_control import ControlTour
from tests.fixtures.server import Server
from tunesmith.client import TunesmithClient

QUESTIONS = (
    "배는 몇 시에 출발합니까",
    "요금은 얼마입니까",
    "어디에서 표를 삽니까",
    "자전거를 실을 수 있습니까",
    "When does it leave",
)
ANSWERS = (
    "여덟 시 정각에 출발합니다.",
    "어른 12,000원입니다.",
    "3번 창구에서 삽니다.",
    "네, 추가 요금이 있습니다.",
    "At eight.",
)
PORTS = ("부산", "제주", "목포", "여수", "통영")
WORDS = (
    "배",
    "항구",
    "시간표",
    "예약",
    "환불",
    "선실",
    "승객",
    "화물",
    "날씨",
    "운항",
    "ferry",
    "harbour",
    "ticket",
    "cabin",
)
GIB = 1 << 30


def write_csv(path: Path, rows: int) -> Path:
    """A CP949 CSV with Korean columns, gaps, repeated rows and commas in quotation marks."""
    dice = random.Random(11)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("질문", "답변", "항구", "요금", "날짜", "메모"))
    for at in range(rows):
        kind = dice.randrange(len(QUESTIONS))
        memo = dice.choice(("", "", "N/A", "성수기, 주말", "전화 010-2345-6789"))
        day = f"2026-{1 + at % 12:02d}-{1 + at % 28:02d}"
        number = at if at % 25 else at // 25
        writer.writerow((f"{number}번 {QUESTIONS[kind]}?", ANSWERS[kind], PORTS[at % 5], 500 * (at % 40), day, memo))
    path.write_bytes(text.getvalue().encode("cp949"))
    return path


def write_jsonl(path: Path, size_bytes: int) -> Path:
    """Conversations of one to four exchanges until the file has so many bytes."""
    dice = random.Random(12)
    phrases = [" ".join(dice.choices(WORDS, k=dice.randint(6, 60))) for _ in range(2000)]
    written = at = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size_bytes:
            turns = [{"role": "system", "content": "항구 안내원입니다."}] if at % 3 == 0 else []
            for _ in range(dice.randint(1, 4)):
                turns.append({"role": "user", "content": f"{at} {dice.choice(QUESTIONS)}? {dice.choice(phrases)}"})
                turns.append({"role": "assistant", "content": f"{dice.choice(phrases)} {dice.choice(ANSWERS)}"})
            if at % 10 == 0:
                turns[-1]["content"] += " 문의: 010-2345-6789"
            row = {"messages": turns, "port": PORTS[at % 5], "fare": at % 977}
            written += file.write(json.dumps(row, ensure_ascii=False) + "\n")
            at += 1
    return path


@dataclass
class Tour:
    """One person's way through all calls; ``seconds`` has each call with the time it took."""

    client: TunesmithClient
    seconds: dict[str, float] = field(default_factory=dict)

    async def call(self, name: str, answer: Awaitable[Any]) -> Any:
        """Await an answer and note how long that took."""
        begin = time.perf_counter()
        found = await answer
        self.seconds[name] = round(time.perf_counter() - begin, 3)
        return found

    async def workbench(self, path: Path) -> dict[str, Any]:
        """All 14 calls of the workbench on one file; answers what `info` said of the upload."""
        bench, call = self.client.dataset, self.call
        uploaded = await call("POST /dataset/upload", bench.upload(path, wait=0))
        if uploaded["job_id"]:
            await self.client.wait_for_job(uploaded["job_id"])
        info = await call("GET /dataset/info", bench.info())
        assert info["status"] in ("ready", "invalid"), info["status"]
        preview = await call("GET /dataset/preview", bench.preview(offset=info["rows"] - 2, limit=5))
        assert len(preview["rows"]) == 2
        health = await call("GET /dataset/health", bench.health())
        assert health["rows"] == info["rows"]
        await self._eda_of_workbench(info)
        tokens = await call("POST /dataset/analyze-tokens", bench.analyze_tokens(lengths=[256, 1024]))
        assert tokens["rows"] + tokens["rows_left_out"] == info["rows"]
        shares = {"train": 0.8, "validation": 0.1, "test": 0.1, "seed": 5}
        split = await call("POST /dataset/split", bench.split(**shares))
        assert len(split["parts"]) == 3
        steps = {"exact_duplicates": True, "length": {"minimum": 2}}
        cleaned = await call("POST /dataset/clean", bench.clean(**steps, preview=True))
        assert (cleaned["preview"], cleaned["dataset"]["id"]) == (True, info["dataset_id"])
        saved = await call("POST /dataset/save", bench.save(format="jsonl", path=f"{path.stem}.jsonl"))
        assert saved["rows"] == info["rows"]
        back = await call("POST /dataset/reset", bench.reset())
        assert back["dataset_id"] == info["dataset_id"]
        return dict(info)

    async def _eda_of_workbench(self, info: dict[str, Any]) -> None:
        bench, call = self.client.dataset, self.call
        statistics = await call("GET /dataset/eda/statistics", bench.explore("statistics"))
        assert statistics["rows"] + statistics["unreadable_rows"] == info["rows"]
        missing = await call("GET /dataset/eda/missing-values", bench.explore("missing-values"))
        assert missing["rows"] == statistics["rows"]
        column = statistics["columns"][0]["column"]
        asked = bench.explore("value-distribution", column=column, bins=10, top=5)
        shape = await call("GET /dataset/eda/value-distribution", asked)
        assert [found["column"] for found in shape["columns"]] == [column]
        ranks = await call("GET /dataset/eda/correlation", bench.explore("correlation", method="spearman"))
        assert len(ranks["coefficients"]) == len(ranks["measures"])
        summary = await call("GET /dataset/eda/summary", bench.explore("summary"))
        assert summary["statistics"]["columns"] == statistics["columns"]


class Memory:
    """The most memory that the server and its worker hold, looked at ten times a second."""

    def __init__(self, server: Server) -> None:
        self.peaks: dict[str, int] = {}
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            if self._server.process is None:
                continue
            family = {"server": [psutil.Process(self._server.process.pid)], "worker": self._server.processes("worker")}
            for name, processes in family.items():
                for process in processes:
                    try:
                        held = process.memory_info().rss
                    except psutil.NoSuchProcess:
                        continue
                    self.peaks[name] = max(self.peaks.get(name, 0), held)


async def drive(address: str, folder: Path, *files: Path) -> dict[str, dict[str, float]]:
    """The whole tour on every file; the seconds of each call by file. Downloads go into ``folder``."""
    client = TunesmithClient.connect(address)
    try:
        taken = {}
        for path in files:
            tour = Tour(client)
            await tour.workbench(path)
            await ControlTour(client, tour.call, folder).drive(path)
            taken[path.name] = tour.seconds
        return taken
    finally:
        await client.close()


def main() -> None:
    """By hand: files of any size, a server of its own, times and memory on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size-gib", type=float, default=0.01, help="Size of the JSON Lines file.")
    parser.add_argument("--csv-rows", type=int, default=2000, help="Rows of the CSV file.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jsonl_file = write_jsonl(folder / "conversations.jsonl", round(asked.size_gib * GIB))
        csv_file = write_csv(folder / "배 시간표.csv", asked.csv_rows)
        server = Server(folder / "data").start()
        try:
            with Memory(server) as memory:
                taken = asyncio.run(drive(server.url, folder, csv_file, jsonl_file))
        finally:
            server.close()
    for file_name, calls in taken.items():
        print(file_name)
        for call, seconds in calls.items():
            print(f"  {seconds:10.3f} s  {call}")
    for process, held in memory.peaks.items():
        print(f"{process}: {held / 2**20:,.0f} MiB at most")


if __name__ == "__main__":
    sys.exit(main())
