"""The data doctor at size: `python -m benchmarks.data_doctor --rows 10000 100000 1000000`.

Chat rows of about 200 tokens each (the bundled tokenizer's), half of them Korean, with faults of every kind here and there, are
examined as a validation examines them: structure, texts, personal data, what is learned, quality, exact and near duplicates. For each
number of rows: seconds, rows a second, and peak resident memory of the process and its children; over all of them, the exponent of the
growth of time between the two largest sizes (bars: 1 M rows in ≤ 25 minutes on 2 cores, ≤ n^1.1, < 1.5 GiB).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ENGLISH = """
the ferry leaves harbour at noon and returns before evening tickets are sold counter island weather changes quickly please ask crew
about luggage bicycles children travel free under six passengers should arrive thirty minutes early because boarding closes schedule
depends on tide storm warning may cancel every crossing without notice refund within seven days
"""
KOREAN = """
배는 정오에 항구를 떠나서 저녁 전에 돌아옵니다 표는 매표소에서 살 수 있고 섬의 날씨는 빨리 바뀝니다 짐과 자전거는 선원에게 물어보세요
어린이는 여섯 살까지 무료이며 승객은 출발 삼십 분 전에 와야 합니다 운항은 물때에 따라 달라지고 폭풍 주의보가 내리면 취소될 수
있습니다 환불은 칠 일 안에
"""
PROGRAM = """
import json, resource, sys, threading, time
from pathlib import Path
from tunesmith.domains.datasets.doctor import Limits
from tunesmith.domains.datasets.doctor.learning import Learner
from tunesmith.domains.datasets.examination import Examination
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.models import BUNDLED, bundled_folder
path = Path(sys.argv[1])
learner = Learner.from_folder(bundled_folder(), BUNDLED, 2048)
work = Examination(RowSource(path, FileKind.JSONL, DataFormat.MESSAGES, 1 << 24), Limits(check_quality=True, learner=learner))
started = time.monotonic()
passed = threading.Event()
def watch():
    while not passed.wait(30):
        print(f"{time.monotonic() - started:.0f} s: {work.tally.rows:,} rows", file=sys.stderr, flush=True)
threading.Thread(target=watch, daemon=True).start()
work.run(path.parent / "out")
seconds = time.monotonic() - started
passed.set()
peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({"rows": work.tally.rows, "seconds": round(seconds, 1), "rows_per_second": round(work.tally.rows / seconds),
    "findings": dict(sorted(work.tally.counts.by_code.items())), "peak_mib": peak // 1024}))
"""


def text(numbers: random.Random, words: list[str], length: int) -> str:
    """Words in an order of their own, with a number and full stops now and then."""
    chosen = numbers.choices(words, k=length)
    for at in range(9, length, 10):
        chosen[at] = f"{numbers.randrange(10**6)}."
    return " ".join(chosen)


def row(numbers: random.Random, number: int) -> str:
    """One conversation of one or two questions; one in a hundred has a fault."""
    words, mean = (KOREAN.split(), 36) if number % 2 else (ENGLISH.split(), 60)
    turns: list[dict[str, Any]] = []
    for _ in range(1 + number % 2):
        length = max(4, int(numbers.lognormvariate(math.log(mean / (1 + number % 2)), 0.4)))
        turns.append({"role": "user", "content": text(numbers, words, max(3, length // 3))})
        turns.append({"role": "assistant", "content": text(numbers, words, length)})
    fault = number % 700
    if fault == 7:
        turns[-1]["content"] += " 문의: minji.kim@example.co.kr 010-1234-5678"
    elif fault == 107:
        turns[0]["content"] = ""
    elif fault == 207:
        turns[-1]["content"] += "\x07"
    elif fault == 307:
        turns = [{"role": role, "content": "같은 질문과 같은 답"} for role in ("user", "assistant")]
    return json.dumps({"messages": turns}, ensure_ascii=False)


def write(path: Path, rows: int) -> float:
    """The file; answers the mean number of tokens of its first rows."""
    from tunesmith.domains.datasets.doctor.learning import Learner
    from tunesmith.domains.models import BUNDLED, bundled_folder

    numbers = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            file.write(row(numbers, number) + "\n")
    numbers = random.Random(7)
    learner = Learner.from_folder(bundled_folder(), BUNDLED, 2048)
    lessons = learner.lessons([json.loads(row(numbers, number)) for number in range(2000)])
    return sum(lesson.total_tokens for lesson in lessons) / len(lessons)


def measure(folder: Path, rows: int) -> dict[str, Any]:
    """One size in a process of its own."""
    path = folder / f"{rows}.jsonl"
    tokens = write(path, rows)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    size = path.stat().st_size
    path.unlink()
    return report | {"mean_tokens": round(tokens, 1), "mib": round(size / 2**20, 1)}


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="Where the files go (default: a temporary folder).")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        sizes = [measure(Path(name), rows) for rows in sorted(options.rows)]
    report: dict[str, Any] = {"sizes": sizes}
    if len(sizes) > 1:
        small, large = sizes[-2:]
        report["exponent"] = round(
            math.log(large["seconds"] / small["seconds"]) / math.log(large["rows"] / small["rows"]), 3
        )
    print(json.dumps(report, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
