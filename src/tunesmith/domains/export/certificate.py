"""Does an artefact behave like its source? Both answer the same prompts; nothing here knows how an artefact could be wrong.

The artefact renders, tokenizes, predicts and stops by itself. Predictions are compared on the source's own greedy continuation,
token by token (teacher-forced), so that one early difference does not hide or invent later ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from anyio import to_thread

from tunesmith.domains.export.prompts import Messages
from tunesmith.domains.export.schemas import Check
from tunesmith.domains.runtime import GenerateRequest, Generation, LogprobSequence

PROMPTS = 32
TOKENS = 32
FULL_VOCABULARY = 32_768
"""Up to this many entries whole distributions are compared; above, the likeliest and the rest as one."""
LIKELIEST = 512
FLOOR = -60.0

Array = np.ndarray[Any, np.dtype[Any]]


class Answering(Protocol):
    """What is asked of the source and of the artefact; the runtime's handle is one."""

    async def render(self, messages: Messages, add_generation_prompt: bool = True) -> str:
        """The prompt."""
        ...

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        ...

    async def generate(self, requests: Sequence[GenerateRequest]) -> list[Generation]:
        """Continue prompts."""
        ...

    async def next_token_logprobs(self, sequences: Sequence[LogprobSequence], top: int | None = None) -> list[Array]:
        """Distributions along sequences."""
        ...


@dataclass(frozen=True)
class Thresholds:
    """What an artefact is held against."""

    token_agreement: float
    mean_kl: float
    greedy_answers: float
    stop_token: float = 0.95


THRESHOLDS: dict[tuple[str, str | None], Thresholds] = {
    ("merged", None): Thresholds(0.99, 1e-3, 0.9),
    ("gguf", "F16"): Thresholds(0.99, 1e-3, 0.9),
    ("gguf", "Q8_0"): Thresholds(0.98, 0.01, 0.8),
}


@dataclass(frozen=True)
class Heard:
    """What the source does with one prompt."""

    messages: Messages
    prompt: str
    prompt_ids: list[int]
    answer: Generation
    continuation: list[int]
    """Its greedy continuation, carried on beyond the end of its answer where that comes early."""


@dataclass(frozen=True)
class Source:
    """Everything that the source was heard to do; the same for all artefacts of a version."""

    heard: list[Heard]
    distributions: list[Array]
    top: int | None


async def listen(source: Answering, prompts: Sequence[Messages], *, vocab_size: int, context_length: int) -> Source:
    """Ask the source everything once; prompts that leave no room in its context are passed over."""
    chosen: list[tuple[Messages, str, list[int]]] = []
    for messages in prompts:
        text = await source.render(messages)
        ids = await source.tokenize(text)
        if len(ids) + TOKENS + 1 <= context_length:
            chosen.append((messages, text, ids))
    chosen = chosen[:PROMPTS]
    answers = await source.generate([_greedy(ids, TOKENS) for _, _, ids in chosen])
    continuations = [_tokens_of(answer) for answer in answers]
    for _ in range(TOKENS):  # an answer that ends early is carried on behind its end, at least a token each time
        short = [i for i, tokens in enumerate(continuations) if len(tokens) < TOKENS]
        if not short:
            break
        more = await source.generate(
            [_greedy(chosen[i][2] + continuations[i], TOKENS - len(continuations[i])) for i in short]
        )
        for i, generation in zip(short, more, strict=True):
            continuations[i] += _tokens_of(generation)
    heard = [
        Heard(messages, text, ids, answer, tokens[:TOKENS])
        for (messages, text, ids), answer, tokens in zip(chosen, answers, continuations, strict=True)
    ]
    top = None if vocab_size <= FULL_VOCABULARY else LIKELIEST
    return Source(heard, await source.next_token_logprobs(_sequences(heard), top), top)


async def compare(source: Source, artefact: Answering, thresholds: Thresholds) -> list[Check]:
    """The checks of one artefact."""
    heard = source.heard
    prompts = [await artefact.render(one.messages) == one.prompt for one in heard]
    tokens = [await artefact.tokenize(one.prompt) == one.prompt_ids for one in heard]
    theirs = await artefact.next_token_logprobs(_sequences(heard), source.top)
    agreement, mean_kl, max_kl = await to_thread.run_sync(_divergence, source, theirs)
    answers = await artefact.generate(
        [GenerateRequest(messages=one.messages, max_new_tokens=TOKENS, temperature=0.0) for one in heard]
    )
    same = [
        (a.text, a.finish_reason) == (b.answer.text, b.answer.finish_reason)
        for a, b in zip(answers, heard, strict=True)
    ]
    return [
        _at_least("rendered_prompt", _mean(prompts), 1.0),
        _at_least("tokenization", _mean(tokens), 1.0),
        _at_least("token_agreement", agreement, thresholds.token_agreement),
        Check(name="mean_kl", passed=mean_kl <= thresholds.mean_kl, value=mean_kl, threshold=thresholds.mean_kl),
        Check(name="max_kl", passed=True, value=max_kl, threshold=None),
        await _stops(heard, artefact, thresholds.stop_token),
        _at_least("greedy_answers", _mean(same), thresholds.greedy_answers),
    ]


async def _stops(heard: list[Heard], artefact: Answering, threshold: float) -> Check:
    """Led to where the source's answer ended, the artefact must end too."""
    ended = [one for one in heard if one.answer.finish_reason == "stop"]
    if not ended:
        return Check(
            name="stop_token",
            passed=True,
            value=None,
            threshold=threshold,
            message="The source never stopped by itself.",
        )
    made = await artefact.generate([_greedy(one.prompt_ids + one.answer.token_ids, 2) for one in ended])
    stopped = [generation.finish_reason == "stop" and not generation.token_ids for generation in made]
    return _at_least("stop_token", _mean(stopped), threshold)


def unmeasured(thresholds: Thresholds, reason: str) -> list[Check]:
    """The checks of an artefact that cannot be asked: none of them holds."""
    limits = {
        "rendered_prompt": 1.0,
        "tokenization": 1.0,
        "token_agreement": thresholds.token_agreement,
        "mean_kl": thresholds.mean_kl,
        "stop_token": thresholds.stop_token,
        "greedy_answers": thresholds.greedy_answers,
    }
    return [
        Check(name=name, passed=False, value=None, threshold=limit, message=reason) for name, limit in limits.items()
    ]


def file_intact(is_intact: bool) -> Check:
    """Whether the bytes are those that were written."""
    return _at_least("file_intact", float(is_intact), 1.0)


def file_unknown() -> Check:
    """An artefact that was not made here, or was changed since: what it does decides."""
    return Check(
        name="file_intact", passed=True, value=None, threshold=1.0, message="No export of this server has these bytes."
    )


def _greedy(ids: list[int], tokens: int) -> GenerateRequest:
    return GenerateRequest(token_ids=ids, max_new_tokens=tokens, temperature=0.0)


def _tokens_of(generation: Generation) -> list[int]:
    end = [] if generation.stop_token_id is None else [generation.stop_token_id]
    return [*generation.token_ids, *end]


def _sequences(heard: list[Heard]) -> list[LogprobSequence]:
    return [LogprobSequence(token_ids=one.prompt_ids + one.continuation, start=len(one.prompt_ids)) for one in heard]


def _divergence(source: Source, theirs: list[Array]) -> tuple[float, float, float]:
    """(token agreement, mean, largest KL) over all positions of all prompts, in nats."""
    agreed, divergences = [], []
    for number, one in enumerate(source.heard):
        if source.top is None:
            p, q = source.distributions[number], theirs[number]
            choice = q.argmax(-1)
        else:
            p, q, choice = _likeliest(source.distributions, theirs, number)
        if p.shape != q.shape:
            return 0.0, float("inf"), float("inf")
        agreed.append(choice == np.asarray(one.continuation))
        p, q = np.maximum(p.astype(np.float64), FLOOR), np.maximum(q.astype(np.float64), FLOOR)
        divergences.append(np.maximum((np.exp(p) * (p - q)).sum(-1), 0.0))
    kl = np.concatenate(divergences)
    return float(np.concatenate(agreed).mean()), float(kl.mean()), float(kl.max())


def _likeliest(ours: list[Array], theirs: list[Array], number: int) -> tuple[Array, Array, Array]:
    """The source's likeliest tokens, what the artefact gives them, and all others as one more entry."""
    ids, p = ours[2 * number], ours[2 * number + 1]
    other_ids, other = theirs[2 * number], theirs[2 * number + 1]
    q = np.empty_like(p)
    for row in range(len(ids)):
        known = dict(zip(other_ids[row].tolist(), other[row].tolist(), strict=True))
        least = float(
            other[row].min()
        )  # what the artefact does not list is at most as likely as the least that it lists
        q[row] = [known.get(token, least) for token in ids[row].tolist()]
    choice = other_ids[np.arange(len(other)), other.argmax(-1)]
    return _with_rest(p), _with_rest(q), choice


def _with_rest(listed: Array) -> Array:
    rest = np.log(np.maximum(1.0 - np.exp(listed.astype(np.float64)).sum(-1, keepdims=True), np.exp(FLOOR)))
    return np.concatenate([listed, rest], axis=-1)


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _at_least(name: str, value: float, threshold: float) -> Check:
    return Check(name=name, passed=value >= threshold, value=value, threshold=threshold)
