"""A large file is examined in bounded memory, in a process of its own so that nothing else is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys, time
from pathlib import Path
from tunesmith.domains.datasets.doctor import Limits
from tunesmith.domains.datasets.examination import Examination
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource
path = Path(sys.argv[1])
small = Examination(RowSource(Path(sys.argv[2]), FileKind.JSONL, DataFormat.MESSAGES, 1 << 24), Limits())
small.run(path.parent / "small")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
work = Examination(RowSource(path, FileKind.JSONL, DataFormat.MESSAGES, 1 << 24), Limits())
started = time.monotonic()
work.run(path.parent / "out")
seconds = time.monotonic() - started
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"rows": work.tally.rows, "findings": work.tally.counts.total, "grown_kib": grown, "seconds": seconds}))
"""
WORDS = ["배는 정오에 항구를 떠납니다", "the ferry leaves at noon", "표는 매표소에서", "ask at the counter"] * 12


@pytest.mark.matrix
@pytest.mark.long
def test_200_megabytes_take_less_than_100_of_memory(tmp_path: Path) -> None:
    path, small = tmp_path / "large.jsonl", tmp_path / "small.jsonl"
    small.write_text('{"messages": []}\n')
    rows = 0
    with path.open("w") as file:
        while file.tell() < 200_000_000:
            for _ in range(1000):
                rows += 1
                text = f"{rows} " + " ".join(WORDS)
                turns = [
                    {"role": "user", "content": text[:300]},
                    {"role": "assistant", "content": text + "\x07" * (rows % 2)},
                ]
                file.write(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(small)], capture_output=True, text=True, check=True
    )
    measured = json.loads(done.stdout)
    assert (measured["rows"], measured["findings"]) == (rows, rows // 2)
    assert measured["grown_kib"] < 100 * 1024, measured
