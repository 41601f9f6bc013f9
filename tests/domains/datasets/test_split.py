"""What a split promises, checked over all pairs by brute force, and through the front door."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.domains.datasets.conftest import PATH, Upload, Work
from tunesmith.domains.datasets.errors import PreprocessingError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.splitting import Split, SplitRules, split_file

SHARES = {"train": 0.7, "validation": 0.2, "test": 0.1}


def rows_with_copies(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of which many are others with a few words changed, in English and Korean."""
    chance = random.Random(seed)
    words = [f"word{n}" for n in range(800)] + [
        "배는",
        "정오에",
        "떠납니다",
        "항구를",
        "매표소에서",
        "승객은",
        "섬까지",
    ]
    rows: list[dict[str, Any]] = []
    for number in range(count):
        if rows and chance.random() < 0.4:
            old = chance.choice(rows)
            texts = [old["prompt"].split(), old["completion"].split()]
            for text in texts:
                for _ in range(chance.choice((0, 0, 1, 2))):
                    text[chance.randrange(len(text))] = chance.choice(words)
        else:
            texts = [chance.choices(words, k=chance.randint(2, 25)), chance.choices(words, k=chance.randint(2, 60))]
        rows.append({"prompt": " ".join(texts[0]), "completion": " ".join(texts[1]), "n": number})
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> RowSource:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return RowSource(path, FileKind.JSONL, DataFormat.PROMPT_COMPLETION, 1 << 24)


def split_rows(folder: Path, rows: list[dict[str, Any]], **rules: Any) -> tuple[Split, list[list[dict[str, Any]]]]:
    folder.mkdir(exist_ok=True)
    source = write(folder / "rows.jsonl", rows)
    asked = {"shares": SHARES, "seed": 7, "similarity_threshold": 0.9, **rules}
    split = split_file(source, folder / "parts", SplitRules(**asked), lambda: False)
    return split, [[json.loads(line) for line in part.path.read_text().splitlines()] for part in split.parts]


def largest_similarity_across(texts: list[list[str]]) -> float:
    """The largest exact Jaccard of two texts in different parts: every pair is compared, by a matrix of words."""
    sets = [[set(tokens(text)) for text in part] for part in texts]
    number = {token: n for n, token in enumerate(sorted({token for part in sets for one in part for token in one}))}
    matrices = []
    for part in sets:
        matrix = np.zeros((len(part), len(number)), dtype=np.float32)
        for row, one in enumerate(part):
            matrix[row, [number[token] for token in one]] = 1
        matrices.append(matrix)
    worst = 0.0
    for at, a in enumerate(matrices):
        for b in matrices[at + 1 :]:
            both = a @ b.T
            union = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - both
            worst = max(worst, float((both / np.maximum(union, 1)).max()))
    return worst


def tokens(text: str) -> list[str]:
    pieces = []
    for word in text.casefold().split():
        korean = "가" <= word[0] <= "힣" and len(word) > 1
        pieces += [word[at : at + 2] for at in range(len(word) - 1)] if korean else [word]
    return pieces


@pytest.mark.parametrize("threshold", [0.95, 0.8, 0.6])
def test_no_pair_of_5000_rows_straddles_the_split(tmp_path: Path, threshold: float) -> None:
    split, parts = split_rows(tmp_path, rows_with_copies(5000), similarity_threshold=threshold)
    whole = [[f"{row['prompt']} {row['completion']}" for row in part] for part in parts]
    prompts = [[row["prompt"] for row in part] for part in parts]
    assert split.is_exact
    assert sorted(row["n"] for part in parts for row in part) == list(range(5000))
    assert largest_similarity_across(whole) < threshold
    assert largest_similarity_across(prompts) < threshold
    assert split.kept_together["near_duplicates"] > 100
    if threshold == 0.95:
        assert [len(part) / 5000 for part in parts] == pytest.approx(list(SHARES.values()), abs=0.02)
        _, apart = split_rows(tmp_path, rows_with_copies(5000), similarity_threshold=None)
        assert largest_similarity_across([[f"{r['prompt']} {r['completion']}" for r in p] for p in apart]) >= 0.95


PROGRAM = """
import sys
from pathlib import Path
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.splitting import SplitRules, split_file
source = RowSource(Path(sys.argv[1]), FileKind.JSONL, DataFormat.PROMPT_COMPLETION, 1 << 24)
rules = SplitRules({"train": 0.7, "validation": 0.2, "test": 0.1}, 7, 0.8, "/meta/topic", "user")
split_file(source, Path(sys.argv[2]), rules, lambda: False)
"""


def test_the_split_is_the_same_in_every_process_and_for_every_order_of_the_rows(tmp_path: Path) -> None:
    rows = rows_with_copies(400)
    for row in rows:
        row["meta"] = {"topic": ["sea", "land", "하늘"][row["n"] % 3]}
        row["user"] = row["n"] % 150
    made = []
    for seed in ("1", "2"):
        write(tmp_path / "rows.jsonl", rows)
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "rows.jsonl"), str(tmp_path / seed)]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed})
        made.append([sorted((tmp_path / seed / f"{part}.jsonl").read_text().splitlines()) for part in SHARES])
        random.Random(seed).shuffle(rows)
    assert made[0] == made[1]
    assert all(made[0])


def test_strata_get_their_shares_and_groups_stay_together(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": f"q{n} {n * 7}", "completion": f"a{n} {n * 3}", "n": n} for n in range(3000)
    ]
    for row in rows:
        row["label"] = "rare" if row["n"] % 20 == 0 else ["a", "b"][row["n"] % 2]
        row["user"] = None if row["n"] % 10 == 0 else f"u{row['n'] // 7}"
    split, parts = split_rows(tmp_path, rows, stratify_by="label", group_by="user", similarity_threshold=0.95)
    users = [{row["user"] for row in part} - {None} for part in parts]
    assert sum(map(len, users)) == len(set().union(*users))
    assert split.kept_together["same_group"] > 1000
    assert [stratum.value for stratum in split.strata] == ["a", "b", "rare"]
    for stratum in split.strata:
        assert stratum.rows == sum(row["label"] == stratum.value for row in rows)
        shares = [stratum.parts[part] / stratum.rows for part in SHARES]
        assert shares == pytest.approx(list(SHARES.values()), abs=0.08)
    in_parts = [Counter(row["label"] for row in part) for part in parts]
    assert [dict(counts) for counts in in_parts] == [
        {stratum.value: stratum.parts[part] for stratum in split.strata} for part in SHARES
    ]


def test_rare_values_are_not_always_rounded_the_same_way(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"q{n} {n * 7}", "completion": f"a{n} {n * 3}", "n": n, "label": f"topic {n // 4}"}
        for n in range(1600)
    ]
    _, parts = split_rows(tmp_path, rows, stratify_by="label")
    assert [len(part) / 1600 for part in parts] == pytest.approx(list(SHARES.values()), abs=0.03)


def test_a_unit_that_is_too_large_for_a_part_goes_where_there_is_room(tmp_path: Path) -> None:
    rows = [{"prompt": "the same", "completion": f"answer {n}", "n": n} for n in range(300)]
    rows += [{"prompt": f"question {n}", "completion": f"reply {n * n}", "n": n} for n in range(700)]
    for seed in range(5):
        split, parts = split_rows(tmp_path, rows, seed=seed)
        assert split.largest_unit_rows == 300
        assert [len(part) for part in parts] == pytest.approx([700, 200, 100], abs=1)
        assert sum(row["prompt"] == "the same" for row in parts[0]) == 300


def test_columns_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    rows = rows_with_copies(1200)
    for rules in ({"stratify_by": "lable"}, {"group_by": "/n/0"}, {"stratify_by": ""}):
        with pytest.raises(PreprocessingError, match="No row has the field"):
            split_rows(tmp_path, rows, **rules)
    with pytest.raises(PreprocessingError, match="more than 1,000 different values"):
        split_rows(tmp_path, rows, stratify_by="n")
    with pytest.raises(PreprocessingError, match="There are 1 different prompts"):
        split_rows(tmp_path, [{"prompt": "x", "completion": "y", "user": "one", "n": 1}] * 9)
    unlike = [{"prompt": f"q{n}", "completion": f"a{n}", "user": n % 2, "n": n} for n in range(9)]
    with pytest.raises(PreprocessingError, match="There are 2 different prompts"):
        split_rows(tmp_path, unlike, group_by="user")


async def test_a_split_over_http_says_what_was_kept_together(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    rows = rows_with_copies(300)
    for row in rows:
        row["label"] = ["참", "거짓"][row["n"] % 2]
    made = (await upload("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))).json()
    body = {"train": 0.8, "validation": 0.2, "test": 0, "stratify_by": "label", "similarity_threshold": 0.8}
    accepted = await client.post(f"{PATH}/{made['id']}/split", params={"wait": 0}, json=body)
    await work()
    result = (await client.get(accepted.json()["links"]["result"])).json()["result"]
    assert [(part["part"], part["share"]) for part in result["parts"]] == [
        ("train", pytest.approx(0.8, abs=0.05)),
        ("validation", pytest.approx(0.2, abs=0.05)),
    ]
    assert [(s["value"], s["rows"], sum(s["parts"].values())) for s in result["strata"]] == [
        ("거짓", 150, 150),
        ("참", 150, 150),
    ]
    assert result["is_exact"]
    assert result["kept_together"]["near_duplicates"] > 10
    assert result["groups"] == 300 - sum(result["kept_together"].values())
    child = (await client.get(f"{PATH}/{result['parts'][0]['dataset_id']}")).json()
    assert (child["source"]["stratify_by"], child["source"]["similarity_threshold"]) == ("label", 0.8)
    failed = await client.post(f"{PATH}/{made['id']}/split", params={"wait": 0}, json={"stratify_by": "nothing"})
    await work()
    job = (await client.get(failed.json()["links"]["self"])).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "preprocessing")
    assert "'nothing'" in job["error"]["message"]
    for wrong in ({"similarity_threshold": 0.2}, {"stratify_by": ""}, {"group_by": 7}):
        assert (await client.post(f"{PATH}/{made['id']}/split", json=wrong)).status_code == 422


def test_what_nothing_reads_is_kept_as_it_is(tmp_path: Path) -> None:
    rows = [{"prompt": f"q {n}", "completion": f"a {n}", "note": "\ud83d"} for n in range(6)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = RowSource(tmp_path / "rows.jsonl", FileKind.JSONL, DataFormat.PROMPT_COMPLETION, 1 << 24)
    split = split_file(
        source, tmp_path / "parts", SplitRules(shares=SHARES, seed=7, similarity_threshold=0.9), lambda: False
    )
    made = [json.loads(line) for part in split.parts for line in part.path.read_text().splitlines()]
    assert sorted(made, key=str) == sorted(rows, key=str)
