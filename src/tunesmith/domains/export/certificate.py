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

from tunesmith.domains.export.errors import SourceSilent
from tunesmith.domains.export.prompts import Messages
from tunesmith.domains.export.schemas import Check, PromptResult
from tunesmith.domains.export.thresholds import Thresholds
from tunesmith.domains.runtime import GenerateRequest, Generation, LogprobSequence, PromptRefused
from tunesmith.kit.errors import TunesmithError

PROMPTS = 32
TOKENS = 32
FULL_VOCABULARY = 32_768
"""Up to this many entries whole distributions are compared; above, the likeliest and the rest as one."""
LIKELIEST = 512
FLOOR = -60.0
_LOST = "\ufffd"

Array = np.ndarray[Any, np.dtype[Any]]


class Answering(Protocol):
    """What is asked of the source and of the artefact; the runtime's handle is one."""

    async def render(self, messages: Messages, add_generation_prompt: bool = True) -> str:
        """The prompt."""
        ...

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        ...

    async def end_token_ids(self) -> list[int]:
        """Tokens that it names as the end of an answer; none where that is not known."""
        ...

    async def generate(self, requests: Sequence[GenerateRequest]) -> list[Generation]:
        """Continue prompts."""
        ...

    async def next_token_logprobs(self, sequences: Sequence[LogprobSequence], top: int | None = None) -> list[Array]:
        """Distributions along sequences."""
        ...


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
    wanted: int
    """How many prompts should have been asked."""
    plain: bool = False
    """Whether it has no chat template, and was asked in plain text."""
    ends: frozenset[int] = frozenset()
    """All tokens that end its answers; none where that is not known."""


async def listen(
    source: Answering,
    prompts: Sequence[Messages],
    *,
    vocab_size: int,
    context_length: int,
    wanted: int = PROMPTS,
    plain: bool = False,
    ends: Sequence[int] = (),
) -> Source:
    """Ask the source everything once. Prompts that its template refuses or its context has no room for are passed over."""
    chosen: list[tuple[Messages, str, list[int]]] = []
    for messages in prompts:
        if len(chosen) == wanted:
            break
        try:
            text = str(messages[-1]["content"]) if plain else await source.render(messages)
        except PromptRefused:
            continue
        ids = await source.tokenize(text)
        if ids and len(ids) + TOKENS + 1 <= context_length:
            chosen.append((messages, text, ids))
    if not chosen:
        raise SourceSilent(
            f"None of the {len(prompts)} prompts can be asked: its chat template refuses them, "
            f"or its context of {context_length} tokens has no room for them."
        )
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
    return Source(heard, await source.next_token_logprobs(_sequences(heard), top), top, wanted, plain, frozenset(ends))


async def compare(
    source: Source, artefact: Answering, thresholds: Thresholds
) -> tuple[list[Check], list[PromptResult]]:
    """The checks of one artefact, and what it did with each prompt. What cannot be measured has failed, and says why."""
    heard = source.heard
    shown = [PromptResult.of(one.messages, one.prompt, one.answer.text) for one in heard]
    checks = [_enough(source)]
    checks.append(await _rendered(source, artefact, shown))
    checks.append(await _tokenized(heard, artefact, shown))
    checks += await _predicted(source, artefact, thresholds, shown)
    checks.append(await _stops(source, artefact, thresholds.stop_token))
    checks.append(await _answers(source, artefact, thresholds.greedy_answers, shown))
    return checks, shown


def _enough(source: Source) -> Check:
    count, message = len(source.heard), None
    if source.wanted < PROMPTS:
        message = f"This server is set to ask fewer than {PROMPTS} prompts; that is for tests."
    elif count < source.wanted:
        message = "The source's context or its template leaves room for no more."
    return Check(name="prompts", passed=count >= source.wanted, value=count, threshold=source.wanted, message=message)


async def _rendered(source: Source, artefact: Answering, shown: list[PromptResult]) -> Check:
    if source.plain:
        return Check(
            name="rendered_prompt",
            passed=True,
            value=None,
            threshold=1.0,
            message="The source has no chat template; both were asked in plain text.",
        )
    reason = None
    for one, result in zip(source.heard, shown, strict=True):
        try:
            result.artefact_prompt = await artefact.render(one.messages)
        except TunesmithError as error:
            reason = reason or error.message
        result.same_prompt = result.artefact_prompt == one.prompt
        if result.same_prompt:
            result.artefact_prompt = None
    return _at_least("rendered_prompt", _mean([bool(r.same_prompt) for r in shown]), 1.0, reason)


async def _tokenized(heard: list[Heard], artefact: Answering, shown: list[PromptResult]) -> Check:
    reason = None
    for one, result in zip(heard, shown, strict=True):
        try:
            result.same_tokens = await artefact.tokenize(one.prompt) == one.prompt_ids
        except TunesmithError as error:
            result.same_tokens, reason = False, error.message
    return _at_least("tokenization", _mean([bool(r.same_tokens) for r in shown]), 1.0, reason)


async def _predicted(
    source: Source, artefact: Answering, thresholds: Thresholds, shown: list[PromptResult]
) -> list[Check]:
    """Agreement, divergence and perplexity on the source's own continuation."""
    try:
        theirs = await artefact.next_token_logprobs(_sequences(source.heard), source.top)
        measured = await to_thread.run_sync(_divergence, source, theirs)
    except (TunesmithError, IndexError, ValueError) as error:
        reason = error.message if isinstance(error, TunesmithError) else "Its distributions have another shape."
        return _unmeasured_predictions(thresholds, reason)
    if measured is None:
        return _unmeasured_predictions(thresholds, "It has another vocabulary than its source.")
    for result, (agreed, kl) in zip(shown, measured.by_prompt, strict=True):
        result.token_agreement, result.mean_kl = float(agreed.mean()), float(kl.mean())
        result.max_kl = float(kl.max())
        result.first_difference = None if agreed.all() else int(agreed.argmin())
    agreed = np.concatenate([agreed for agreed, _ in measured.by_prompt])
    kl = np.concatenate([kl for _, kl in measured.by_prompt])
    mean_kl = float(kl.mean())
    return [
        _at_least("token_agreement", float(agreed.mean()), thresholds.token_agreement),
        Check(name="mean_kl", passed=mean_kl <= thresholds.mean_kl, value=mean_kl, threshold=thresholds.mean_kl),
        Check(name="max_kl", passed=True, value=float(kl.max()), threshold=None),
        Check(name="perplexity_difference", passed=True, value=measured.perplexity_difference, threshold=None),
    ]


async def _answers(source: Source, artefact: Answering, threshold: float | None, shown: list[PromptResult]) -> Check:
    """Asked in words, as a person asks: its own template, tokenizer and end."""
    made, reason = await _asked(source, artefact)
    for one, result, answer in zip(source.heard, shown, made, strict=True):
        result.source_stopped = one.answer.finish_reason == "stop"
        if answer is not None:
            result.artefact_answer, result.artefact_stopped = answer.text, answer.finish_reason == "stop"
            result.same_answer = says_the_same(one.answer, answer)
    value = _mean([bool(result.same_answer) for result in shown])
    if threshold is None:
        return Check(name="greedy_answers", passed=reason is None, value=value, threshold=None, message=reason)
    return _at_least("greedy_answers", value, threshold, reason)


def says_the_same(one: Generation, other: Generation) -> bool:
    """Whether two answers are the same, however an engine spells them.

    SentencePiece writes a space before the first word, which some engines drop; and bytes that are no character are shown in
    ways of each engine's own, so there the tokens are compared.
    """
    if one.finish_reason != other.finish_reason:
        return False
    if _LOST in one.text or _LOST in other.text:
        return one.token_ids == other.token_ids
    return one.text.removeprefix(" ") == other.text.removeprefix(" ")


async def _asked(source: Source, artefact: Answering) -> tuple[list[Generation | None], str | None]:
    """The artefact's answers, all at once or, where one is refused, each by itself; and why one was."""
    requests = [
        GenerateRequest.model_validate(
            {**({"prompt": one.prompt} if source.plain else {"messages": one.messages}), "max_new_tokens": TOKENS}
        )
        for one in source.heard
    ]
    try:
        return list(await artefact.generate(requests)), None
    except TunesmithError as error:
        reason = error.message
    made: list[Generation | None] = []
    for request in requests:
        try:
            made += await artefact.generate([request])
        except TunesmithError as error:
            made.append(None)
            reason = error.message
    return made, reason


async def _stops(source: Source, artefact: Answering, threshold: float) -> Check:
    """Led to where the source's answer ended, the artefact must end too, and it may name no end that is none of the source's.

    What the files name counts because an engine may also know the right end by its spelling, where another does not; and
    because a source may be heard that never ends an answer.
    """

    def unheard(passed: bool, message: str) -> Check:
        return Check(name="stop_token", passed=passed, value=None, threshold=threshold, message=message)

    ended = [one for one in source.heard if one.answer.finish_reason == "stop"]
    try:
        others = sorted(set(await artefact.end_token_ids()) - source.ends) if source.ends else []
        if others:
            named = ", ".join(map(str, others[:3]))
            return unheard(False, f"It ends an answer at the token {named}, which ends none of its source's.")
        if not ended:
            return unheard(True, "The source never stopped by itself.")
        made = await artefact.generate([_greedy(one.prompt_ids + one.answer.token_ids, 2) for one in ended])
    except TunesmithError as error:
        return unheard(False, error.message)
    stopped = [generation.finish_reason == "stop" and not generation.token_ids for generation in made]
    return _at_least("stop_token", _mean(stopped), threshold)


def _unmeasured_predictions(thresholds: Thresholds, reason: str) -> list[Check]:
    limits = {"token_agreement": thresholds.token_agreement, "mean_kl": thresholds.mean_kl}
    return [
        Check(name=name, passed=False, value=None, threshold=limit, message=reason) for name, limit in limits.items()
    ]


def unmeasured(thresholds: Thresholds, reason: str) -> list[Check]:
    """The checks of an artefact that cannot be asked: none of them holds."""
    limits = {"rendered_prompt": 1.0, "tokenization": 1.0, "stop_token": thresholds.stop_token}
    return [
        *(Check(name=n, passed=False, value=None, threshold=limit, message=reason) for n, limit in limits.items()),
        *_unmeasured_predictions(thresholds, reason),
    ]


def file_check(problem: str | None, *, message: str | None = None) -> Check:
    """Whether the bytes are those that were written and can be loaded; ``problem`` says why not."""
    held = problem is None
    return Check(
        name="file_intact", passed=held, value=float(held), threshold=1.0, message=message if held else problem
    )


def _greedy(ids: list[int], tokens: int) -> GenerateRequest:
    return GenerateRequest(token_ids=ids, max_new_tokens=tokens, temperature=0.0)


def _tokens_of(generation: Generation) -> list[int]:
    end = [] if generation.stop_token_id is None else [generation.stop_token_id]
    return [*generation.token_ids, *end]


def _sequences(heard: list[Heard]) -> list[LogprobSequence]:
    return [LogprobSequence(token_ids=one.prompt_ids + one.continuation, start=len(one.prompt_ids)) for one in heard]


@dataclass(frozen=True)
class _Measured:
    """For each prompt where the artefact chose as the source did, and the divergence in nats, position by position."""

    by_prompt: list[tuple[Array, Array]]
    perplexity_difference: float


def _divergence(source: Source, theirs: list[Array]) -> _Measured | None:
    """Over all positions of all prompts; None when the distributions have other sizes."""
    by_prompt = []
    ours_lost, theirs_lost = [], []
    for number, one in enumerate(source.heard):
        if source.top is None:
            p, q = source.distributions[number], theirs[number]
            choice = q.argmax(-1)
        else:
            p, q, choice = _likeliest(source.distributions, theirs, number)
        if p.shape != q.shape:
            return None
        taken = np.asarray(one.continuation)
        p, q = np.maximum(p.astype(np.float64), FLOOR), np.maximum(q.astype(np.float64), FLOOR)
        best = p.argmax(-1)  # the token that was taken is the likeliest, in whole and in listed distributions
        rows = np.arange(len(taken))
        ours_lost.append(-p[rows, best])
        theirs_lost.append(-q[rows, best])
        by_prompt.append((choice == taken, np.maximum((np.exp(p) * (p - q)).sum(-1), 0.0)))
    ours, other = (float(np.exp(np.concatenate(lost).mean())) for lost in (ours_lost, theirs_lost))
    return _Measured(by_prompt, other / ours - 1.0)


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


def _at_least(name: str, value: float, threshold: float, message: str | None = None) -> Check:
    held = value >= threshold
    return Check(name=name, passed=held, value=value, threshold=threshold, message=None if held else message)
