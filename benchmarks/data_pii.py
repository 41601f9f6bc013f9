"""Finding personal data beside Presidio, on the same texts in one process: `python -m benchmarks.data_pii`.

- recall and precision per kind on `tests/data/pii/labelled.jsonl` and `held_out.jsonl` (bar: ≥ 0.95 each, and no recall below
  Presidio's). A hit counts when it names the kind and shares at least half of the characters with the labelled span: half of
  the longer of the two. The same rule for both; what is labelled `low` counts neither way.
- megabytes of UTF-8 a second of processor time on those sentences and on chat rows (bar: ≥ 20 × Presidio), medians of five
  alternating runs.

Presidio gets its recognizers for e-mail, phones, cards, IBAN, IP, bank numbers and the Korean numbers, all for one language, on
a blank spaCy pipeline whose lemmas are the words themselves, so that its context words work. Both run in an environment of their
own that is made here from the extra `pii`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LABELLED = ROOT / "tests" / "data" / "pii" / "labelled.jsonl"
CHAT = ROOT / "src" / "tunesmith" / "bundle" / "examples" / "haedam-ferry" / "train.jsonl"
RUNS = 5
PRESIDIO_NAMES = {
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip",
    "KR_RRN": "rrn", "KR_FRN": "frn", "KR_BRN": "brn", "KR_PASSPORT": "passport", "KR_DRIVER_LICENSE": "driver_licence",
    "US_BANK_NUMBER": "bank_account",
}  # fmt: skip
REGIONS = ("KR", "US")

Span = tuple[str, int, int]
"""Kind, start, end."""
Find = Callable[[str], list[Span]]


class Labelled(NamedTuple):
    """A text with what is personal data in it, what may be, and the number of places that only look like it."""

    text: str
    spans: list[Span]
    low: list[Span]
    negatives: int


class Score(NamedTuple):
    """How well one kind is found."""

    labelled: int
    recall: float
    precision: float


def read_labelled(path: Path) -> list[Labelled]:
    """The rows of a labelled set."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        spans = [(s["entity"], s["start"], s["end"]) for s in row["spans"] if not s.get("low")]
        low = [(s["entity"], s["start"], s["end"]) for s in row["spans"] if s.get("low")]
        rows.append(Labelled(row["text"], spans, low, len(row["negatives"])))
    return rows


def matches(one: Span, other: Span) -> bool:
    """The same kind, and half of the longer span in common."""
    common = min(one[2], other[2]) - max(one[1], other[1])
    return one[0] == other[0] and 2 * common >= max(one[2] - one[1], other[2] - other[1])


def score(rows: list[Labelled], found: list[list[Span]]) -> dict[str, Score]:
    """Recall and precision of every kind that is labelled or found; ``found`` has the hits of each row."""
    labelled, hit, right, wrong = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row, hits in zip(rows, found, strict=True):
        for span in row.spans:
            labelled[span[0]] += 1
            hit[span[0]] += any(matches(span, one) for one in hits)
        for one in hits:
            if any(matches(span, one) for span in row.spans):
                right[one[0]] += 1
            elif not any(matches(span, one) for span in row.low):
                wrong[one[0]] += 1
    kinds = labelled.keys() | right.keys() | wrong.keys()
    return {
        kind: Score(
            labelled[kind],
            hit[kind] / labelled[kind] if labelled[kind] else 0.0,
            right[kind] / (right[kind] + wrong[kind]) if right[kind] + wrong[kind] else 0.0,
        )
        for kind in sorted(kinds)
    }


def ours() -> Find:
    """The detector, with what it is certain of."""
    from tunesmith.domains.datasets.pii import find_pii

    return lambda text: [(hit.entity.value, hit.start, hit.end) for hit in find_pii(text) if hit.is_certain]


def presidio(threshold: float) -> Find:
    """Presidio with its recognizers for these kinds."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer import predefined_recognizers as known
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(
        suffix_list_urls=()
    )  # its e-mail recognizer asks the network
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR

    @spacy.Language.component("words_are_lemmas")
    def words_are_lemmas(document: Any) -> Any:
        for token in document:
            token.lemma_ = token.text.lower()
        return document

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("words_are_lemmas")
    engine = SpacyNlpEngine()
    engine.nlp = {"ko": pipeline}
    registry = RecognizerRegistry(supported_languages=["ko"])
    for name in (
        *("EmailRecognizer", "CreditCardRecognizer", "IbanRecognizer", "IpRecognizer", "UsBankRecognizer"),
        *("KrRrnRecognizer", "KrFrnRecognizer", "KrBrnRecognizer", "KrPassportRecognizer", "KrDriverLicenseRecognizer"),
    ):
        registry.add_recognizer(getattr(known, name)(supported_language="ko"))
    registry.add_recognizer(known.PhoneRecognizer(supported_language="ko", supported_regions=REGIONS))
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["ko"])

    def find(text: str) -> list[Span]:
        results = analyzer.analyze(text, language="ko", score_threshold=threshold)
        return [(PRESIDIO_NAMES[r.entity_type], r.start, r.end) for r in results if r.entity_type in PRESIDIO_NAMES]

    return find


def chat_rows(count: int) -> list[str]:
    """Texts of about 200 tokens from the bundled conversations; every fifth holds a sentence of the labelled set."""
    turns = [
        m["content"] for line in CHAT.read_text(encoding="utf-8").splitlines() for m in json.loads(line)["messages"]
    ]
    sentences = [row.text for row in read_labelled(LABELLED)]
    rows = []
    for number in range(count):
        parts = [turns[(number * 22 + place) % len(turns)] for place in range(22)]
        if number % 5 == 0:
            parts[number % 22] = sentences[number // 5 % len(sentences)]
        rows.append(" ".join(parts))
    return rows


def speed(find: Find, texts: list[str]) -> float:
    """Megabytes of UTF-8 a second of processor time, as often through as a second holds."""
    started, passes = time.process_time(), 0
    while passes == 0 or time.process_time() - started < 1:
        passes += 1
        for text in texts:
            find(text)
    return passes * sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - started)


def side_by_side(mine: Find, theirs: Find, texts: list[str]) -> tuple[float, float]:
    """Medians of five runs in turn."""
    speed(theirs, texts[:20])
    pairs = [(speed(mine, texts), speed(theirs, texts)) for _ in range(RUNS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def measure() -> int:
    """Everything, as Markdown; 1 when a bar is missed."""
    mine, theirs, careful = ours(), presidio(0.0), presidio(0.4)
    failed = False
    for path in (LABELLED, LABELLED.with_name("held_out.jsonl")):
        rows = read_labelled(path)
        columns = [score(rows, [find(row.text) for row in rows]) for find in (mine, theirs, careful)]
        print(
            f"\n{path.name}: {len(rows)} texts, {sum(len(r.spans) for r in rows)} spans, {sum(r.negatives for r in rows)} decoys\n"
        )
        print("| kind | spans | recall | precision | Presidio: recall | precision | from 0.4: recall | precision |")
        print("| --- | --: | --: | --: | --: | --: | --: | --: |")
        for kind, one in columns[0].items():
            peers = [column.get(kind, Score(0, 0, 0)) for column in columns[1:]]
            figures = " | ".join(f"{value:.3f}" for peer in (one, *peers) for value in (peer.recall, peer.precision))
            print(f"| {kind} | {one.labelled} | {figures} |")
            failed |= min(one.recall, one.precision) < 0.95 or one.recall < peers[0].recall
    print("\n| texts | MB/s | Presidio MB/s | ratio |\n| --- | --: | --: | --: |")
    for name, texts in (
        ("labelled sentences", [r.text for r in read_labelled(LABELLED)]),
        ("chat rows", chat_rows(300)),
    ):
        mean = statistics.mean(map(len, texts))
        a, b = side_by_side(mine, theirs, texts)
        print(f"| {name}, {mean:.0f} characters each | {a:.2f} | {b:.3f} | {a / b:.0f} |")
        failed |= a / b < 20
    return int(failed)


def environment(folder: Path) -> Path:
    """The Python of an environment with the program and its extra `pii`."""
    python = folder / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    wanted = f"{ROOT}[pii]"
    if uv.exists():
        subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*command, "--constraint", ROOT / "constraints.txt", "--editable", wanted], check=True)
    return python


def main() -> int:
    """Makes the environment and measures in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, help="Folder of the environment (kept); a temporary one otherwise.")
    parser.add_argument("--inside", action="store_true", help="Measure here, with the packages of this Python.")
    arguments = parser.parse_args()
    if arguments.inside:
        return measure()
    with tempfile.TemporaryDirectory() as temporary:
        python = environment(arguments.environment or Path(temporary))
        command = [str(python), str(Path(__file__)), "--inside"]
        return subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode


if __name__ == "__main__":
    sys.exit(main())
