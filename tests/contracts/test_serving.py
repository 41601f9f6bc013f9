"""The serving port's promises, kept by every backend: each is loaded in a real child and asked over the real wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.adapters.serving.llamacpp import LlamaCppBackend
from tunesmith.adapters.serving.transformers import TransformersBackend
from tunesmith.domains.runtime import (
    GenerateRequest,
    LogprobSequence,
    PromptRefused,
    RuntimeHandle,
    RuntimeService,
    ScoreRow,
    Servable,
)
from tunesmith.ports.serving import NotServable, ServingBackend
from tunesmith.settings import load_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
KOREAN = "강남역"
CONVERSATION = [{"role": "user", "content": KOREAN}]
BACKENDS: dict[str, ServingBackend] = {
    "fake": FakeBackend(),
    "llamacpp": LlamaCppBackend(),
    "transformers": TransformersBackend(),
}


@dataclass
class Case:
    """A backend with a model loaded in it."""

    name: str
    handle: RuntimeHandle


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runtime(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RuntimeService]:
    """Every model is loaded once for the whole file."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("data"), device="cpu")
    service = RuntimeService(settings=settings, backends=BACKENDS)
    yield service
    await service.close()


@pytest_asyncio.fixture(params=sorted(BACKENDS), scope="module", loop_scope="module")
async def case(
    request: pytest.FixtureRequest, runtime: RuntimeService, tiny_model: Path, tiny_gguf: Path
) -> AsyncIterator[Case]:
    """Every backend answers ``강남역`` here: the fake repeats it, the models know nothing else."""
    path = tiny_gguf if request.param == "llamacpp" else tiny_model
    async with runtime.session(Servable("tiny", path), backend=request.param) as handle:
        yield Case(request.param, handle)


async def test_a_conversation_is_rendered_with_the_prompt_for_an_answer(case: Case) -> None:
    with_prompt = await case.handle.render(CONVERSATION)
    without = await case.handle.render(CONVERSATION, add_generation_prompt=False)
    assert KOREAN in without
    assert with_prompt.startswith(without)
    assert "assistant" in with_prompt.removeprefix(without)


async def test_greedy_answers_repeat_and_end_by_themselves(case: Case) -> None:
    request = GenerateRequest(messages=CONVERSATION, max_new_tokens=50)
    first, second = await case.handle.generate([request, request])
    assert first == second
    assert first.text == KOREAN
    assert first.finish_reason == "stop"
    assert first.token_ids == list(KOREAN.encode())
    assert first.prompt_tokens == len(await case.handle.tokenize(await case.handle.render(CONVERSATION)))


async def test_a_prompt_may_be_messages_text_or_token_ids(case: Case) -> None:
    rendered = await case.handle.render(CONVERSATION)
    ids = await case.handle.tokenize(rendered)
    made = await case.handle.generate(
        [
            GenerateRequest(messages=CONVERSATION, max_new_tokens=3),
            GenerateRequest(prompt=rendered, max_new_tokens=3),
            GenerateRequest(token_ids=ids, max_new_tokens=3),
        ]
    )
    assert len({m.prompt_tokens for m in made}) == 1
    assert len(made[1].token_ids) == 3
    assert made[1] == made[2]


async def test_the_longest_answer_that_was_asked_for_is_not_exceeded(case: Case) -> None:
    (made,) = await case.handle.generate([GenerateRequest(messages=CONVERSATION, max_new_tokens=6)])
    assert made.finish_reason == "length"
    assert len(made.token_ids) == 6
    assert made.text == KOREAN[:2]


async def test_a_stop_string_ends_the_answer_and_is_not_in_it(case: Case) -> None:
    request = GenerateRequest(messages=CONVERSATION, stop=["역", "없음"])
    (made,) = await case.handle.generate([request])
    assert (made.text, made.finish_reason) == ("강남", "stop")
    assert "".join([chunk.delta async for chunk in case.handle.stream_chat(request)]) == "강남"


async def test_a_stream_is_the_answer_in_whole_characters_with_its_counts(case: Case) -> None:
    request = GenerateRequest(messages=CONVERSATION, max_new_tokens=50)
    (whole,) = await case.handle.generate([request])
    chunks = [chunk async for chunk in case.handle.stream_chat(request)]
    pieces = [chunk.delta for chunk in chunks if chunk.delta]
    assert "".join(pieces) == whole.text
    assert len(pieces) == 3
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(pieces)
    last = chunks[-1]
    assert (last.finish_reason, last.prompt_tokens) == ("stop", whole.prompt_tokens)
    assert last.completion_tokens == len(whole.token_ids) + (whole.stop_token_id is not None)


async def test_an_answer_in_one_piece_is_the_stream(case: Case) -> None:
    request = GenerateRequest(messages=CONVERSATION, max_new_tokens=50, logprobs=1)
    chunks = [chunk async for chunk in case.handle.stream_chat(request)]
    made = await case.handle.answer(request)
    assert made.text == "".join(chunk.delta for chunk in chunks)
    assert (made.finish_reason, made.prompt_tokens) == (chunks[-1].finish_reason, chunks[-1].prompt_tokens)
    assert made.completion_tokens == chunks[-1].completion_tokens
    assert [one.token for one in made.logprobs] == [one.token for chunk in chunks for one in chunk.logprobs]


async def test_embeddings_have_length_one_and_do_not_depend_on_their_company(case: Case) -> None:
    texts = ["강남역", "seventeen boats", "강남"]
    ids = await case.handle.tokenize(texts[1])
    vectors, tokens = await case.handle.embed([*texts, ids])
    assert vectors.dtype == np.float32
    assert tokens == sum([len(await case.handle.tokenize(text)) for text in texts]) + len(ids)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[3], vectors[1], atol=1e-5)
    assert float(np.abs(vectors[0] - vectors[1]).max()) > 1e-3
    for at, text in enumerate(texts):
        alone, _ = await case.handle.embed([text])
        np.testing.assert_allclose(alone[0], vectors[at], atol=1e-5)
    answers = [case.handle.answer(GenerateRequest(messages=CONVERSATION, max_new_tokens=9)) for _ in range(3)]
    *made, together, again = await asyncio.gather(*answers, case.handle.embed(texts), case.handle.embed(texts[::-1]))
    assert [one.text for one in made] == [KOREAN] * 3  # type: ignore[union-attr]
    np.testing.assert_allclose(together[0], vectors[:3], atol=1e-5)  # type: ignore[index]
    np.testing.assert_allclose(again[0], vectors[2::-1], atol=1e-5)  # type: ignore[index]


async def test_eight_streams_at_once_each_get_their_own_answer(case: Case) -> None:
    async def read(length: int) -> str:
        request = GenerateRequest(messages=CONVERSATION, max_new_tokens=length)
        return "".join([chunk.delta async for chunk in case.handle.stream_chat(request)])

    texts = await asyncio.gather(*(read(3 * (1 + n % 3)) for n in range(8)))
    assert texts == [KOREAN[: 1 + n % 3] for n in range(8)]


async def test_a_stream_that_nobody_reads_any_more_frees_its_slot(case: Case) -> None:
    stream = case.handle.stream_chat(GenerateRequest(prompt="ㄱ" * 100 + "\n", max_new_tokens=400))
    await anext(stream)
    await stream.aclose()
    async with asyncio.timeout(10):
        while (await case.handle.health()).active:
            await asyncio.sleep(0.01)


async def test_loss_is_summed_over_what_the_assistant_said(case: Case) -> None:
    spoken = [*CONVERSATION, {"role": "assistant", "content": KOREAN}]
    ids = await case.handle.tokenize(await case.handle.render(spoken, add_generation_prompt=False))
    labels = [-100] * (len(ids) - 4) + ids[-4:]
    scores = await case.handle.score([ScoreRow(messages=spoken), ScoreRow(input_ids=ids, labels=labels)])
    assert scores[0].tokens == len(ids)
    assert scores[0].trained_tokens in (9, 10)  # nine bytes, and the end of the turn where the template has one
    assert scores[1].trained_tokens == 4
    (distributions,) = await case.handle.next_token_logprobs([LogprobSequence(token_ids=ids, start=len(ids) - 4)])
    expected = -sum(float(distributions[at, token]) for at, token in enumerate(ids[-4:]))
    assert scores[1].loss_sum == pytest.approx(expected, rel=1e-3, abs=1e-3)


async def test_distributions_are_whole_and_sum_to_one(case: Case) -> None:
    sequences = [LogprobSequence(token_ids=list(b"abc\n"), start=1), LogprobSequence(token_ids=list(b"xy\nz"), start=3)]
    vocabulary = (await case.handle.health()).vocab_size
    full = await case.handle.next_token_logprobs(sequences)
    assert [array.shape for array in full] == [(3, vocabulary), (1, vocabulary)]
    assert all(array.dtype == np.float32 for array in full)
    assert np.allclose(np.exp(np.concatenate(full)).sum(-1), 1.0, atol=1e-3)
    ids, values = await case.handle.next_token_logprobs(sequences[:1], top=3)
    assert ids.shape == values.shape == (3, 3)
    assert np.allclose(np.take_along_axis(full[0], ids.astype(int), -1), values, atol=1e-3)


async def test_seeded_sampling_repeats(case: Case) -> None:
    request = GenerateRequest(messages=CONVERSATION, temperature=1.5, top_p=0.9, seed=7, max_new_tokens=12)
    (first,) = await case.handle.generate([request])
    (second,) = await case.handle.generate([request])
    assert first == second


async def test_a_child_answers_nobody_without_its_token(case: Case) -> None:
    async with httpx.AsyncClient(base_url=case.handle._child.origin.url) as stranger:
        assert (await stranger.get("/health")).status_code == 401
        assert (await stranger.post("/generate", json={})).status_code == 401


async def test_a_malformed_call_is_refused_with_a_sentence(case: Case) -> None:
    with pytest.raises(PromptRefused):
        await case.handle._call("POST", "/generate", b"{}")
    with pytest.raises(PromptRefused):
        await case.handle._call("POST", "/chat", b"\xff")


async def test_a_backend_refuses_what_it_cannot_load(tmp_path: Path) -> None:
    (tmp_path / "note.gguf").write_bytes(b"not a model")
    with pytest.raises(NotServable):
        TransformersBackend().check(Servable("empty", tmp_path))
    with pytest.raises(NotServable, match="does not begin"):
        LlamaCppBackend().check(Servable("note", tmp_path / "note.gguf"))
    with pytest.raises(NotServable):
        FakeBackend().check(Servable("absent", tmp_path / "absent"))


async def test_a_gguf_file_says_what_its_source_says(
    runtime: RuntimeService, tiny_model: Path, tiny_gguf: Path
) -> None:
    spoken = [*CONVERSATION, {"role": "assistant", "content": KOREAN}]
    async with (
        runtime.session(Servable("source", tiny_model)) as source,
        runtime.session(Servable("file", tiny_gguf)) as file,
    ):
        prompt = await source.render(CONVERSATION)
        assert await file.render(CONVERSATION) == prompt
        assert await file.render(spoken, False) == await source.render(spoken, False)
        ids = await source.tokenize(prompt)
        assert await file.tokenize(prompt) == ids
        sequences = [LogprobSequence(token_ids=ids, start=len(ids) - 6)]
        ours, theirs = await source.next_token_logprobs(sequences), await file.next_token_logprobs(sequences)
        likely = ours[0] > -10
        assert likely.any()
        assert np.abs(ours[0] - theirs[0])[likely].max() < 0.01
        rows = [ScoreRow(messages=[*CONVERSATION, {"role": "assistant", "content": "역"}])]
        (mine,), (other,) = await source.score(rows), await file.score(rows)
        assert (mine.tokens, mine.trained_tokens) == (other.tokens, other.trained_tokens)
        assert mine.loss_sum == pytest.approx(other.loss_sum, rel=0.01)


async def test_base_and_tuned_answer_beside_each_other_from_one_load(
    runtime: RuntimeService, tiny_model: Path, tiny_adapter: Path
) -> None:
    tuned = Servable("tuned", tiny_model, tiny_adapter, tiny_model)
    request = GenerateRequest(messages=CONVERSATION)
    spoken = [ScoreRow(messages=[*CONVERSATION, {"role": "assistant", "content": KOREAN}])]
    async with runtime.session(tuned) as with_adapter:
        base = RuntimeHandle(with_adapter._child, adapter=None)
        for _ in range(2):
            (new,), (old,) = await asyncio.gather(with_adapter.generate([request]), base.generate([request]))
            assert (new.text, old.text) == ("역", KOREAN)
        texts = await asyncio.gather(*(text_of(handle, request) for handle in (base, with_adapter) * 4))
        assert texts == [KOREAN, "역"] * 4
        (worse,), (better,) = await with_adapter.score(spoken), await base.score(spoken)
        assert worse.loss_sum > better.loss_sum + 1


async def text_of(handle: RuntimeHandle, request: GenerateRequest) -> str:
    return "".join([chunk.delta async for chunk in handle.stream_chat(request)])
