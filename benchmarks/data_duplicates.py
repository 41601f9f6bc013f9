"""Near duplicates beside datatrove and semhash: `python -m benchmarks.data_duplicates --rows 100000 --peers /path/to/python`.

One file of texts with known near-duplicate pairs, the same for all, in one run:

- ours: reading, token sets, the join and the clusters, one process, at each threshold; recall over the known pairs at or above the
  threshold, precision over all pairs that are named, both by an exact Jaccard computed here (bars: ≥ 0.95 at 0.8, ≥ 0.99);
- datatrove: reading, MinHash signatures, buckets and clusters with its defaults (word 5-grams, 14 × 8), two workers
  (bar: ours ≥ 0.5 of its speed). The peers live in an environment of their own with `datatrove`, `nltk`, `spacy` and `semhash`.
- semhash: embeddings of Model2Vec, where a model is at hand (`--semhash`).

`--growth` measures ours at a tenth of the rows, too, and gives the exponent of its time (bar: ≤ 1.1).
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

WORDS_IN_A_TEXT = 150
SHARE_OF_COPIES = 0.1
REMEMBERED = 20_000
OURS = """
import json, re, sys, time
from pathlib import Path
from tunesmith.domains.datasets.duplicates import NearDuplicates
folder = Path(sys.argv[1])
for threshold in map(float, sys.argv[2:]):
    started = time.perf_counter()
    with (folder / "texts.jsonl").open() as lines, NearDuplicates(folder) as near:
        for number, line in enumerate(lines):
            near.add(number, json.loads(line)["text"])
        tokens_seconds = time.perf_counter() - started
        found = near.clusters(threshold)
    seconds = time.perf_counter() - started
    named = {"text": found.text.tolist(), "cluster": found.cluster.tolist(), "like": found.like.tolist()}
    (folder / f"ours-{threshold}.json").write_text(json.dumps(named))
    print(json.dumps({
        "threshold": threshold, "seconds": round(seconds, 1), "of_that_tokens": round(tokens_seconds, 1),
        "clusters": found.count, "rows_in_clusters": len(found.text), "is_exact": found.is_exact,
        "peak_mib": int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024,
    }), flush=True)
"""
DATATROVE = """
import json, sys, time
from pathlib import Path
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.pipeline.readers import JsonlReader
folder = Path(sys.argv[1])
if __name__ == "__main__":
    config = MinhashConfig()
    stages = [
        ([JsonlReader(str(folder / "parts")), MinhashDedupSignature(str(folder / "dt-sig"), config)], 2),
        ([MinhashDedupBuckets(str(folder / "dt-sig"), str(folder / "dt-buckets"), config=config)], config.num_buckets),
        ([MinhashDedupCluster(str(folder / "dt-buckets"), str(folder / "dt-remove"), config=config)], 1),
    ]
    seconds = []
    for number, (pipeline, tasks) in enumerate(stages):
        started = time.perf_counter()
        logs = str(folder / f"dt-logs-{number}")
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(2, tasks), logging_dir=logs).run()
        seconds.append(round(time.perf_counter() - started, 1))
    removed = sum(path.stat().st_size // 4 for path in (folder / "dt-remove").glob("*.remove"))
    print(json.dumps({"seconds": round(sum(seconds), 1), "signatures_buckets_clusters": seconds, "removed": removed}))
"""
SEMHASH = """
import json, sys, time
from pathlib import Path
from semhash import SemHash
records = [json.loads(line)["text"] for line in (Path(sys.argv[1]) / "texts.jsonl").open()]
started = time.perf_counter()
result = SemHash.from_records(records=records).self_deduplicate()
print(json.dumps({"seconds": round(time.perf_counter() - started, 1), "removed": len(records) - len(result.selected)}))
"""


def vocabulary(chance: random.Random) -> list[str]:
    """60,000 different words of English length."""
    syllables = ["ka", "lo", "mi", "te", "ru", "an", "er", "do", "pli", "qu", "st", "be"]
    words = ("".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in iter(int, 1))
    unique = dict.fromkeys(
        f"{word}{'' if n < 3000 else n % 23}" for n, word in zip(range(120_000), words, strict=False)
    )
    return list(unique)[:60_000]


def write_texts(folder: Path, rows: int) -> list[tuple[int, int]]:
    """Texts of about 200 tokens with words as frequent as in a language; answers (copy, original)."""
    chance = random.Random(5)
    words = vocabulary(chance)
    power = math.log(len(words))
    remembered: list[tuple[int, list[str]]] = []
    pairs = []
    (folder / "parts").mkdir()
    with (
        (folder / "texts.jsonl").open("w") as all_of_them,
        (folder / "parts" / "0.jsonl").open("w") as first,
        (folder / "parts" / "1.jsonl").open("w") as second,
    ):
        for row in range(rows):
            if remembered and chance.random() < SHARE_OF_COPIES:
                original, old = remembered[chance.randrange(len(remembered))]
                text = old.copy()
                share = chance.uniform(0.0, 0.14)
                for _ in range(round(share * len(text))):
                    text[chance.randrange(len(text))] = f"new{chance.randrange(10**7)}"
                pairs.append((row, original))
            else:
                count = max(5, int(chance.gauss(WORDS_IN_A_TEXT, WORDS_IN_A_TEXT / 3)))
                text = [words[int(math.exp(power * chance.random() ** 0.8)) - 1] for _ in range(count)]
                if len(remembered) < REMEMBERED:
                    remembered.append((row, text))
                else:
                    remembered[chance.randrange(REMEMBERED)] = (row, text)
            line = json.dumps({"text": " ".join(text), "id": str(row)}) + "\n"
            all_of_them.write(line)
            (first if row < rows // 2 else second).write(line)
    return pairs


def jaccards(folder: Path, pairs: list[tuple[int, int]]) -> list[float]:
    """The exact Jaccard of the sets of words of pairs of rows."""
    wanted = {row for pair in pairs for row in pair}
    sets = {}
    with (folder / "texts.jsonl").open() as lines:
        for row, line in enumerate(lines):
            if row in wanted:
                sets[row] = set(json.loads(line)["text"].split())
    return [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in pairs]


def judged(folder: Path, threshold: float, pairs: list[tuple[int, int]], known: list[float]) -> dict[str, Any]:
    """Recall over the known pairs, precision over the named ones."""
    named = json.loads((folder / f"ours-{threshold}.json").read_text())
    cluster = dict(zip(named["text"], named["cluster"], strict=True))
    near = [pair for pair, value in zip(pairs, known, strict=True) if value >= threshold]
    found = sum(a in cluster and cluster[a] == cluster.get(b) for a, b in near)
    values = jaccards(folder, list(zip(named["text"], named["like"], strict=True)))
    return {
        "known_pairs": len(near),
        "recall": round(found / max(1, len(near)), 5),
        "named_pairs": len(values),
        "precision": round(sum(value >= threshold for value in values) / max(1, len(values)), 5),
    }


def run(python: str, program: str, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run a program on the folder; answers the JSON documents that it printed."""
    script = folder / "program.py"
    script.write_text(program)
    done = subprocess.run([python, str(script), str(folder), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def measured(rows: int, thresholds: list[float], peers: str | None, semhash: bool) -> dict[str, Any]:
    """All figures for so many rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = write_texts(folder, rows)
        known = jaccards(folder, pairs)
        ours = run(sys.executable, OURS, folder, *map(str, thresholds))
        for figures in ours:
            figures |= judged(folder, figures["threshold"], pairs, known)
            figures["rows_per_second"] = round(rows / figures["seconds"])
        report: dict[str, Any] = {"rows": rows, "ours": ours}
        if peers:
            report["datatrove"] = run(peers, DATATROVE, folder)[0]
            report["datatrove"]["rows_per_second"] = round(rows / report["datatrove"]["seconds"])
            slowest = min(figures["rows_per_second"] for figures in ours)
            report["speed_beside_datatrove"] = round(slowest / report["datatrove"]["rows_per_second"], 2)
        if peers and semhash:
            report["semhash"] = run(peers, SEMHASH, folder)[0]
        return report


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.95, 0.8])
    parser.add_argument("--peers", help="a Python that has datatrove")
    parser.add_argument("--semhash", action="store_true")
    parser.add_argument("--growth", action="store_true")
    asked = parser.parse_args()
    report = measured(asked.rows, asked.thresholds, asked.peers, asked.semhash)
    if asked.growth:
        small = measured(asked.rows // 10, asked.thresholds, None, False)
        report["growth_exponent"] = {
            large["threshold"]: round(math.log10(large["seconds"] / less["seconds"]), 2)
            for large, less in zip(report["ours"], small["ours"], strict=True)
        }
        report["tenth"] = small["ours"]
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
