"""Counting tokens beside `tokenizers` itself: `python -m benchmarks.data_tokens --rows 20000`.

The same chat rows as in `data_doctor`, rendered by the bundled model's template. In turn, several times, medians:

- the library: `Tokenizer.encode_batch_fast` over all texts in batches of its own size, on all cores;
- ours: `TextTokenizer.count`, which the doctor and the token analysis stand on (bar: ≥ 0.9 of the library's tokens a second);
- for information, all that the doctor's learning check does with a row: rendering, tokens with their places, masks.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable

import tokenizers

from benchmarks.data_doctor import row
from tunesmith.domains.datasets.doctor.learning import BATCH_ROWS, Learner
from tunesmith.domains.models import BUNDLED, bundled_folder

RUNS = 5
BATCH = 2048


def tokens_per_second(work: Callable[[], int]) -> float:
    """Speed of one run."""
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    numbers = random.Random(7)
    examples = [json.loads(row(numbers, number)) for number in range(options.rows)]
    learner = Learner.from_folder(bundled_folder(), BUNDLED, 2048)
    texts = [learner.template.render(example["messages"]) for example in examples]
    library = tokenizers.Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))

    def theirs() -> int:
        parts = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
        return sum(len(e) for part in parts for e in library.encode_batch_fast(part, add_special_tokens=False))

    def ours() -> int:
        parts = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
        return sum(sum(learner.tokenizer.count(part)) for part in parts)

    def lessons() -> int:
        parts = (examples[at : at + BATCH_ROWS] for at in range(0, len(examples), BATCH_ROWS))
        return sum(lesson.total_tokens for part in parts for lesson in learner.lessons(part))

    speeds: dict[str, list[float]] = {"tokenizers": [], "ours": [], "lessons": []}
    for _ in range(RUNS + 1):
        for name, work in (("tokenizers", theirs), ("ours", ours), ("lessons", lessons)):
            speeds[name].append(tokens_per_second(work))
    medians = {name: statistics.median(values[1:]) for name, values in speeds.items()}
    report = {f"{name}_tokens_per_second": round(speed) for name, speed in medians.items()}
    print(json.dumps(report | {"ratio": round(medians["ours"] / medians["tokenizers"], 3)}, indent=2))


if __name__ == "__main__":
    main()
