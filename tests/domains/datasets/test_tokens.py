"""Token analysis: the trainer's own counts, and packing as the trainer packs."""

from __future__ import annotations

import bisect
import json
import math
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.domains.datasets.conftest import PATH, Upload, Work
from tests.domains.datasets.test_exploration_routes import jsonl
from tunesmith.domains.datasets.tokens import packed_sequences
from tunesmith.domains.datasets.tokens.report import ladder, quantile
from tunesmith.domains.models import bundled_folder
from tunesmith.text import ChatTemplate, TextTokenizer, tokenize_row

TALKS = [
    {
        "messages": [
            {"role": "system", "content": "Answer briefly. 짧게 답하세요."},
            {"role": "user", "content": "배는 몇 시에 출발합니까? " * (1 + at % 9)},
            {"role": "assistant", "content": f"{8 + at % 12}시에 출발합니다. The ferry leaves."},
            {"role": "user", "content": "Thanks"},
            {"role": "assistant", "content": "천만에요"},
        ],
        "source": "desk",
    }
    for at in range(60)
]


async def analysed(client: httpx.AsyncClient, work: Work, dataset_id: int, **body: Any) -> dict[str, Any]:
    """The analysis, after a worker has counted."""
    address = f"{PATH}/{dataset_id}/analyze-tokens"
    first = await client.post(address, json=body, params={"wait": 0})
    assert first.status_code in (200, 202), first.text
    await work()
    answer = await client.post(address, json=body, params={"wait": 0})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def uploaded(upload: Upload, work: Work, rows: list[Any], **fields: str) -> int:
    made = await upload("talks.jsonl", jsonl(rows), **fields)
    assert made.status_code == 201, made.text
    await work()
    return int(made.json()["id"])


async def test_counts_are_the_trainers(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    dataset = await uploaded(upload, work, TALKS)
    answer = await analysed(client, work, dataset, lengths=[64, 4096], bins=5)
    folder = bundled_folder()
    tokenizer, template = TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder)
    lengths = [tokenize_row(row["messages"], tokenizer, template).total_tokens for row in TALKS]
    texts = [[turn["content"] for turn in row["messages"]] for row in TALKS]
    raw = [sum(tokenizer.count(turns)) for turns in texts]
    assert (answer["rows"], answer["sequences"], answer["rows_left_out"]) == (60, 60, 0)
    assert (answer["total_tokens"], answer["raw_tokens"]) == (sum(lengths), sum(raw))
    assert answer["template_tokens"] == sum(lengths) - sum(raw)
    assert answer["characters"] == sum(len(text) for turns in texts for text in turns)
    for name, share in (("p1", 0.01), ("p50", 0.5), ("p99.9", 0.999)):
        assert answer["percentiles"][name] == pytest.approx(float(np.quantile(lengths, share)))
    assert answer["per_sequence"]["std"] == pytest.approx(float(np.std(lengths, ddof=1)))
    assert sum(bar["count"] for bar in answer["histogram"]["bins"]) == 60
    columns = {column["name"]: column for column in answer["columns"]}
    assert columns["messages"]["tokens"] == sum(raw)
    assert columns["source"]["tokens"] == 60 * tokenizer.count(["desk"])[0]
    roles = {role["name"]: role for role in answer["roles"]}
    assert list(roles) == ["system", "user", "assistant"]
    assert roles["system"]["tokens"] == 60 * tokenizer.count(texts[0][:1])[0]
    assert [turn["name"] for turn in answer["turns"]] == ["1", "2", "3", "4", "5"]
    assert sum(turn["tokens"] for turn in answer["turns"]) == sum(raw)
    short, long = answer["lengths"]
    assert short["truncated"] == sum(length > 64 for length in lengths) > 0
    assert short["tokens_cut"] == sum(max(0, length - 64) for length in lengths)
    assert (long["truncated"], long["tokens_kept"]) == (0, sum(lengths))
    assert long["packed_sequences"] == packed_one_by_one(lengths, 4096)
    assert long["packing_efficiency"] == pytest.approx(sum(lengths) / (long["packed_sequences"] * 4096))
    assert long["padding_efficiency"] == pytest.approx(sum(lengths) / (60 * max(lengths)))


async def test_steps_and_cost(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    dataset = await uploaded(upload, work, TALKS)
    asked = {"lengths": [256, 128], "batch_tokens": 512, "epochs": 3, "price_per_million_tokens": 2.5}
    answer = await analysed(client, work, dataset, **asked)
    short, long = answer["lengths"]
    assert (short["length"], long["length"]) == (128, 256)
    assert short["steps_per_epoch"] == math.ceil(short["packed_sequences"] / 4)
    assert long["steps_per_epoch"] == math.ceil(long["packed_sequences"] / 2)
    epoch = answer["epoch"]
    assert epoch["length"] == 256
    assert epoch["tokens"] == 3 * epoch["tokens_per_epoch"] == 3 * long["tokens_kept"]
    assert epoch["steps"] == 3 * long["steps_per_epoch"]
    assert epoch["cost"] == pytest.approx(epoch["tokens"] / 1e6 * 2.5)
    assert (await analysed(client, work, dataset))["epoch"]["cost"] is None


async def test_other_lengths_need_no_other_pass(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    dataset = await uploaded(upload, work, TALKS)
    await analysed(client, work, dataset)
    answer = await client.post(f"{PATH}/{dataset}/analyze-tokens", json={"lengths": [33]}, params={"wait": 0})
    assert answer.status_code == 200
    assert (await client.get("/api/v1/admin/jobs", params={"kind": "analyze-tokens"})).json()["total"] == 1


async def test_rows_that_cannot_be_trained_on_are_counted_apart(
    client: httpx.AsyncClient, work: Work, upload: Upload
) -> None:
    content = jsonl(TALKS[:3]) + '{"messages": [\n' + jsonl([{"messages": []}]) + jsonl(TALKS[3:4])
    made = (await upload("some.jsonl", content)).json()
    await work()
    answer = await analysed(client, work, made["id"])
    assert (answer["rows"], answer["rows_left_out"], answer["rows_refused"]) == (4, 2, 0)


async def test_csv_columns_are_counted_apart_from_what_the_template_writes(
    client: httpx.AsyncClient, work: Work, upload: Upload
) -> None:
    content = "instruction,input,output\n" + "".join(f"질문 {at},문맥 {at},답 {at}\n" for at in range(5))
    made = (await upload("some.csv", content)).json()
    await work()
    answer = await analysed(client, work, made["id"])
    assert [column["name"] for column in answer["columns"]] == ["instruction", "input", "output"]
    assert sum(column["share"] for column in answer["columns"]) == pytest.approx(1)
    assert [role["name"] for role in answer["roles"]] == ["user", "assistant"]
    assert answer["template_tokens"] > 0


async def test_a_template_that_refuses_rows_names_them(
    client: httpx.AsyncClient, work: Work, upload: Upload, settings: Any
) -> None:
    folder = model_folder(settings.data_dir / "strict")
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}{{ messages }}"
    (folder / "chat_template.jinja").write_text(template)
    dataset = await uploaded(upload, work, [*TALKS[:2], {"messages": TALKS[0]["messages"][1:3]}])
    answer = await analysed(client, work, dataset, model=str(folder))
    assert (answer["rows"], answer["rows_refused"]) == (1, 2)
    assert [refused["row"] for refused in answer["refused"]] == [1, 2]
    assert "no system turn" in answer["refused"][0]["message"]


async def test_a_model_without_a_template_counts_bare_texts(
    client: httpx.AsyncClient, work: Work, upload: Upload, settings: Any
) -> None:
    folder = model_folder(settings.data_dir / "bare")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    configuration = json.loads((folder / "tokenizer_config.json").read_text())
    configuration.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration))
    dataset = await uploaded(upload, work, TALKS[:4])
    answer = await analysed(client, work, dataset, model=str(folder))
    assert answer["template_sha256"] is None
    assert answer["rows"] == 4
    assert answer["total_tokens"] >= answer["raw_tokens"]


async def test_refusals_come_before_any_work(client: httpx.AsyncClient, work: Work, upload: Upload) -> None:
    dataset = await uploaded(upload, work, TALKS[:1])
    address = f"{PATH}/{dataset}/analyze-tokens"
    for body, status in (
        ({"model": "nobody/has-this"}, 404),
        ({"lengths": []}, 422),
        ({"lengths": [4]}, 422),
        ({"lengths": [2**21]}, 422),
        ({"epochs": 0}, 422),
        ({"price_per_million_tokens": -1}, 422),
        ({"tokenizer": "x"}, 422),
    ):
        answer = await client.post(address, json=body, params={"wait": 0})
        assert answer.status_code == status, (body, answer.text)
    assert (await client.get("/api/v1/admin/jobs", params={"kind": "analyze-tokens"})).json()["total"] == 0


def model_folder(target: Path) -> Path:
    """The bundled model's tokenizer and configuration under another name."""
    target.mkdir(parents=True)
    for path in bundled_folder().iterdir():
        if path.is_file():
            (target / path.name).write_bytes(path.read_bytes())
    return target


def packed_one_by_one(lengths: list[int], capacity: int) -> int:
    """Best fit, longest first, a document at a time: the trainer's way."""
    room: list[int] = []
    opened = 0
    for length in sorted(lengths, reverse=True):
        at = bisect.bisect_left(room, length)
        if at == len(room):
            opened += 1
            left = capacity
        else:
            left = room.pop(at)
        bisect.insort(room, left - length)
    return opened


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(1, n), max_size=120))))
@example((10, [10, 10, 5, 5, 5, 4, 3, 2, 2, 2, 2, 1, 1]))
@example((7, [3] * 50 + [2] * 31))
def test_packing_by_counts_is_packing_one_by_one(case: tuple[int, list[int]]) -> None:
    capacity, lengths = case
    sizes, counts = np.unique(np.array(lengths, dtype=np.int64), return_counts=True)
    assert packed_sequences(sizes, counts, capacity) == packed_one_by_one(lengths, capacity)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=100), st.floats(0, 1))
def test_quantiles_of_counts_are_numpys(lengths: list[int], share: float) -> None:
    sizes, counts = np.unique(np.array(lengths, dtype=np.int64), return_counts=True)
    assert quantile(sizes, counts, share) == pytest.approx(float(np.quantile(lengths, share)))


def test_the_ladder_ends_where_nothing_is_cut() -> None:
    assert ladder(0) == [64]
    assert ladder(100) == [64, 80, 96, 112]
    assert ladder(129)[-1] == 160
    assert ladder(10**6)[-2] < 10**6 <= ladder(10**6)[-1]
