"""Evaluations through the front door: a model that answers `역`, its base that answers `강남역`, and what is said about them."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.domains.registry.house import ADMIN, House, open_house
from tests.ml.training_runs import tiny_model
from tunesmith.worker import run_worker

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Started once for this file."""
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


async def upload(house: House, name: str, answers: list[str]) -> int:
    """A dataset of questions with these answers."""
    rows = [
        {"messages": [{"role": "user", "content": f"{number}번째 역은?"}, {"role": "assistant", "content": answer}]}
        for number, answer in enumerate(answers)
    ]
    return await upload_rows(house, name, rows)


async def upload_rows(house: House, name: str, rows: list[dict[str, Any]]) -> int:
    """A dataset of these rows."""
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    files = {"file": (f"{name}.jsonl", content.encode())}
    answer = await house.http.post(f"{ADMIN}/training/datasets", files=files, data={"name": name}, params={"wait": 0})
    assert answer.status_code in (200, 201, 202), answer.text
    await run_worker(house.services, until_idle=True)
    listed = (await house.http.get(f"{ADMIN}/training/datasets")).json()["items"]
    return next(int(item["id"]) for item in listed if item["name"] == name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def questions(house: House) -> int:
    """Nine questions that the tuned model answers, in other spellings too, and one that nobody does."""
    return await upload(house, "questions", ["역"] * 7 + [" 역. ", "역!"] + ["몰라요"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def general(house: House) -> int:
    """Four questions that only the base answers."""
    return await upload(house, "general", ["강남역"] * 4)


async def test_base_and_tuned_are_measured_side_by_side(house: House, questions: int, general: int) -> None:
    path = f"/models/{house.version_id}"
    result = await house.run(f"{path}/evaluate", {"dataset_id": questions, "general_dataset_id": general})
    base, tuned = result["base"], result["tuned"]
    assert (base["answers_right"], tuned["answers_right"], tuned["answers_total"]) == (0, 9, 10)
    assert tuned["loss"] < base["loss"]
    assert tuned["perplexity"] == pytest.approx(math.exp(tuned["loss"]))
    exact = tuned["metrics"]["exact_match"]
    assert (exact["value"], exact["n"]) == (0.9, 10)
    assert exact["low"] == pytest.approx(0.5958, abs=1e-3)
    difference = result["difference"]
    assert difference["exact_match"]["p_value"] == pytest.approx(2 / 2**9)
    assert difference["loss"]["value"] == pytest.approx(tuned["loss"] - base["loss"])
    forgotten = result["general"]
    assert (forgotten["base"]["answers_right"], forgotten["tuned"]["answers_right"]) == (4, 0)

    answers = [json.loads(line) for line in await stored_lines(house, result["answers_key"])]
    assert len(answers) == 14
    assert (answers[0]["base_answer"], answers[0]["tuned_answer"]) == ("강남역", "역")
    assert [answer["tuned_right"] for answer in answers] == [True] * 9 + [False] * 5

    listed = (await house.http.get(f"{ADMIN}{path}/evaluations")).json()
    assert [item["metrics"]["tuned"]["answers_right"] for item in listed["items"]] == [9]
    detail = (await house.http.get(f"{ADMIN}{path}")).json()
    assert [evidence["kind"] for evidence in detail["evidence"]] == ["evaluation"]
    card = (await house.http.get(f"{ADMIN}{path}/card")).json()["markdown"]
    assert "Exact answers | 0 (0 to" in card


async def stored_lines(house: House, key: str) -> list[str]:
    pieces = [piece async for piece in await house.services.storage.open_read(key)]
    return b"".join(pieces).decode().splitlines()


async def test_the_right_loss_comes_out(house: House, questions: int) -> None:
    """Token-weighted over the assistant's tokens, as a plain loop over the rows gives it."""
    from tests.domains.evaluation.plain_loss import plain_loss

    rows = [
        [{"role": "user", "content": f"{number}번째 역은?"}, {"role": "assistant", "content": answer}]
        for number, answer in enumerate(["역"] * 7 + [" 역. ", "역!"] + ["몰라요"])
    ]
    result = await house.run(f"/models/{house.version_id}/evaluate", {"dataset_id": questions, "metrics": ["loss"]})
    assert result["base"]["loss"] == pytest.approx(plain_loss(house.base, rows), rel=1e-4)
    assert result["tuned"]["answers_total"] is None
    assert result["answers_key"] is None


async def test_a_conversation_is_measured_with_the_tools_that_it_has(house: House) -> None:
    """As training reads it: a template that lists them, and the same list written out as the system's turn."""
    folder = tiny_model(house.folder / "lists-tools")
    template = folder / "chat_template.jinja"
    listed = "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    template.write_text(listed + template.read_text())
    tools = [{"type": "function", "function": {"name": "ferry", "parameters": {"type": "object", "properties": {}}}}]
    asked = [{"role": "user", "content": "몇 번째 역?"}, {"role": "assistant", "content": "강남역"}]
    system = {"role": "system", "content": json.dumps(tools)}
    data = {
        "with-tools": {"messages": asked, "tools": tools},
        "written-out": {"messages": [system, *asked]},
        "without-tools": {"messages": asked},
    }
    measured = []
    for name, row in data.items():
        await upload_rows(house, name, [row])
        measured.append((await house.run("/evaluations", {"model": str(folder), "data": f"dataset:{name}"}))["tuned"])
    with_tools, written_out, without = measured
    assert with_tools["loss"] == pytest.approx(written_out["loss"], rel=1e-5)
    assert with_tools["loss"] != pytest.approx(without["loss"], rel=1e-3)
    assert with_tools["answers_right"] == written_out["answers_right"]


async def test_any_model_can_be_evaluated(house: House, questions: int) -> None:
    body: dict[str, Any] = {"model": str(house.base), "questions": "dataset:questions@1.0", "max_questions": 3}
    result = await house.run("/evaluations", body)
    assert result["base"] is None
    assert (result["tuned"]["answers_right"], result["tuned"]["answers_total"]) == (0, 3)
    result = await house.run("/evaluations", body | {"model": "harbour@1.0.0", "metrics": ["exact_match"]})
    assert (result["base"]["answers_right"], result["tuned"]["answers_right"]) == (0, 3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pairs(house: House) -> int:
    """Three pairs that the tuned model agrees with and one that it does not."""
    said = [("역", "강남역")] * 3 + [("강남역", "역")]
    rows: list[dict[str, Any]] = [
        {"prompt": f"{n}번째 역은?", "chosen": better, "rejected": worse} for n, (better, worse) in enumerate(said)
    ]
    greeted = [("user", "안녕하세요?"), ("assistant", "네, 무엇이든 물어보세요."), ("user", "2번째 역은?")]
    rows[2]["prompt"] = [{"role": role, "content": content} for role, content in greeted]
    return await upload_rows(house, "pairs", rows)


async def test_pairs_are_measured_by_what_is_likelier(house: House, pairs: int) -> None:
    result = await house.run(f"/models/{house.version_id}/evaluate", {"dataset_id": pairs})
    base, tuned = result["base"], result["tuned"]
    assert (base["preference_accuracy"], tuned["preference_accuracy"]) == (0.25, 0.75)
    assert tuned["metrics"]["preference_accuracy"]["n"] == 4
    assert result["difference"]["preference_accuracy"]["value"] == 0.5
    assert result["difference"]["preference_margin"]["value"] == pytest.approx(
        tuned["preference_margin"] - base["preference_margin"]
    )
    assert (tuned["loss"], tuned["answers_total"]) == (None, None)
    card = (await house.http.get(f"{ADMIN}/models/{house.version_id}/card")).json()["markdown"]
    assert "Better answer likelier | 0.25 (" in card
    for metrics, status in ((["preference_margin"], 202), (["loss"], 422)):
        answer = await house.http.post(
            f"{ADMIN}/models/{house.version_id}/evaluate",
            json={"dataset_id": pairs, "metrics": metrics},
            params={"wait": 0},
        )
        assert answer.status_code == status, answer.text
    assert "it allows preference_accuracy, preference_margin" in answer.json()["detail"]
    await run_worker(house.services, until_idle=True)


async def test_pairs_and_questions_are_measured_together(house: House, questions: int, pairs: int) -> None:
    body = {"model": "harbour@1.0.0", "data": "dataset:pairs@1.0", "questions": "dataset:questions@1.0"}
    result = await house.run("/evaluations", body)
    assert (result["tuned"]["preference_accuracy"], result["tuned"]["answers_right"]) == (0.75, 9)


async def test_what_cannot_be_measured_is_refused_at_once(house: House, questions: int) -> None:
    path = f"/models/{house.version_id}/evaluate"
    for where, body, status, code in (
        (path, {"dataset_id": questions, "metrics": ["bleu", "loss"]}, 422, "unsupported-metric"),
        (path, {"dataset_id": questions, "metrics": ["preference_accuracy"]}, 422, "unsupported-metric"),
        (path, {"dataset_id": questions, "metrics": []}, 422, "validation"),
        (path, {"dataset_id": questions, "split": "test"}, 422, "validation"),
        (path, {"dataset_id": 999}, 404, "dataset-not-found"),
        ("/models/99/evaluate", {"dataset_id": questions}, 404, "model-version-not-found"),
        ("/evaluations", {"model": "harbour@1.0.0"}, 422, "nothing-to-evaluate"),
        ("/evaluations", {"model": "harbour@9.9.9", "data": "dataset:questions"}, 404, "model-not-found"),
        ("/evaluations", {"model": "harbour@1.0.0", "data": "dataset:none@1"}, 404, "dataset-not-found"),
    ):
        answer = await house.http.post(ADMIN + where, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (where, body, answer.text)
    refused = await house.http.post(ADMIN + path, json={"dataset_id": questions, "metrics": ["bleu"]})
    assert "bleu" in refused.json()["detail"]
