"""Continue prompts token by token: several at once in one batch, each with its own sampling, stops and end.

Rows are padded on the left and leave the batch as they end. A row's text comes out as soon as it is whole: a character of several
bytes is never cut, and what might become a stop string is held back until it is clear that it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tunesmith.wire.serving import FinishReason, GenerateRequest, TokenLogprob

UNFINISHED_CHARACTER = "\N{REPLACEMENT CHARACTER}"
Forward = Callable[..., Any]


class TextStream:
    """Token ids in, text out: only whole characters, and nothing from a stop string on."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        self._decode = decode
        self._stops = [stop for stop in stops if stop]
        self._ids: list[int] = []
        self._window = 0  # decoding begins here: one shown piece back, since some tokenizers join words with a space
        self._shown = 0  # ids before this one are text already
        self._pending = ""
        self.stopped = False

    def push(self, token_id: int) -> str:
        """The text that is certain after this token."""
        self._ids.append(token_id)
        return self._release(self._grown(), final=False)

    def finish(self) -> str:
        """The text that was held back, when no more comes."""
        if self.stopped:
            return ""
        before = self._decode(self._ids[self._window : self._shown])
        rest = self._decode(self._ids[self._window :])[len(before) :]
        self._shown = self._window = len(self._ids)
        return self._release(rest, final=True)

    def _grown(self) -> str:
        before = self._decode(self._ids[self._window : self._shown])
        now = self._decode(self._ids[self._window :])
        if now.endswith(UNFINISHED_CHARACTER) or len(now) < len(before):
            return ""
        self._window, self._shown = self._shown, len(self._ids)
        return now[len(before) :]

    def _release(self, new: str, *, final: bool) -> str:
        self._pending += new
        found = [at for stop in self._stops if (at := self._pending.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._pending[: min(found)]
        held = 0 if final else max((_overlap(self._pending, stop) for stop in self._stops), default=0)
        cut = len(self._pending) - held
        released, self._pending = self._pending[:cut], self._pending[cut:]
        return released


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``stop``."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)


@dataclass
class Row:
    """One prompt that is being continued."""

    index: int
    prompt_ids: list[int]
    request: GenerateRequest
    stream: TextStream
    max_new_tokens: int
    token_ids: list[int] = field(default_factory=list)
    text: str = ""
    stop_token_id: int | None = None
    finish_reason: FinishReason | None = None
    generator: torch.Generator | None = None
    logprobs: list[TokenLogprob] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.request.temperature > 0:
            self.generator = torch.Generator()
            if self.request.seed is None:
                self.generator.seed()
            else:
                self.generator.manual_seed(self.request.seed % 2**63)

    def take(self, token_id: int, ends: frozenset[int]) -> str:
        """Add a token; answers the text that became certain, and sets ``finish_reason`` at the end."""
        if token_id in ends:
            self.stop_token_id, self.finish_reason = token_id, "stop"
            return self._kept(self.stream.finish())
        self.token_ids.append(token_id)
        piece = self.stream.push(token_id)
        if self.stream.stopped:
            self.finish_reason = "stop"
        elif len(self.token_ids) >= self.max_new_tokens:
            self.finish_reason = "length"
            piece += self.stream.finish()
        return self._kept(piece)

    def _kept(self, piece: str) -> str:
        self.text += piece
        return piece


def pick(logits: torch.Tensor, rows: list[Row]) -> list[int]:
    """The next token of each row: the likeliest, or one drawn with the row's own generator."""
    likeliest: list[int] = logits.argmax(-1).tolist()
    return [
        best if row.generator is None else _draw(logits[at], row)
        for at, (best, row) in enumerate(zip(likeliest, rows, strict=True))
    ]


def tell(logits: torch.Tensor, row: Row, token_id: int, decode: Callable[[Sequence[int]], str]) -> None:
    """Note how likely the taken token was, and the likeliest ones in its place (``logits``: one row, raw)."""
    if row.request.logprobs is None:
        return
    distribution = torch.log_softmax(logits.float(), dim=-1)
    values, ids = distribution.topk(min(row.request.logprobs, distribution.shape[-1]), dim=-1)

    def named(token: int, logprob: float, top: list[TokenLogprob]) -> TokenLogprob:
        text = decode([token])
        whole = None if UNFINISHED_CHARACTER in text else list(text.encode())
        return TokenLogprob(token=text, logprob=logprob, token_bytes=whole, top=top)

    top = [named(int(token), float(value), []) for token, value in zip(ids, values, strict=True)]
    row.logprobs.append(named(token_id, float(distribution[token_id]), top))


def _draw(logits: torch.Tensor, row: Row) -> int:
    shifted = logits.double().cpu() - logits.max().item()  # at most 0, so that no temperature makes it overflow
    probabilities = torch.softmax(shifted / row.request.temperature, dim=-1)
    if row.request.top_p < 1.0:
        ordered, order = probabilities.sort(descending=True)
        before = ordered.cumsum(-1) - ordered
        before[0] = -1.0  # the likeliest token always stays, also when rounding or a tiny top_p would drop it
        ordered[before >= row.request.top_p] = 0.0
        drawn = torch.multinomial(ordered, 1, generator=row.generator)
        return int(order[drawn])
    return int(torch.multinomial(probabilities, 1, generator=row.generator))


def continue_rows(
    forward: Forward, rows: list[Row], ends: frozenset[int], pad_id: int, device: torch.device
) -> Iterator[list[tuple[Row, str]]]:
    """Continue all rows to their ends; yields after each token what every row gained."""
    longest = max(len(row.prompt_ids) for row in rows)
    padded = [[pad_id] * (longest - len(row.prompt_ids)) + row.prompt_ids for row in rows]
    inputs = torch.tensor(padded, device=device)
    mask = torch.tensor([[0] * (longest - len(r.prompt_ids)) + [1] * len(r.prompt_ids) for r in rows], device=device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    cache: Any = None
    live = list(rows)
    while True:
        out = forward(
            input_ids=inputs, attention_mask=mask, position_ids=positions, past_key_values=cache, last_only=True
        )
        cache, logits = out.past_key_values, out.logits[:, -1]
        chosen = pick(logits, live)
        yield [(row, row.take(token, ends)) for row, token in zip(live, chosen, strict=True)]
        kept = [at for at, row in enumerate(live) if row.finish_reason is None]
        if not kept:
            return
        if len(kept) < len(live):
            selection = torch.tensor(kept, device=device)
            cache.batch_select_indices(selection)
            mask, positions = mask[selection], positions[selection]
            live = [live[at] for at in kept]
        inputs = torch.tensor([[chosen[at]] for at in kept], device=device)
        mask = torch.cat([mask, mask.new_ones((len(live), 1))], dim=-1)
        positions = positions[:, -1:] + 1
