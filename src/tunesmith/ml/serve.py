"""Load one model folder and answer over HTTP on loopback: ``python -m tunesmith.ml.serve <folder with spec.json>``.

Base and tuned come from one load: the adapter is switched off for a request that asks for the base. Prompts and masks come from
``tunesmith.text``, as they do in training, so a model is asked in the words that it learned.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith.ml.guard import NEVER_USED, forbid_pickle, importing, leave_out, leave_out_bitsandbytes, stay_offline

forbid_pickle()
stay_offline()
leave_out(*NEVER_USED)

with importing():
    import numpy as np
    import psutil
    import torch

    from tunesmith.kit.errors import TunesmithError
    from tunesmith.ml.adapters import AdapterShelf
    from tunesmith.ml.batch import Batch
    from tunesmith.ml.decode import Row, TextStream, continue_rows
    from tunesmith.ml.embedding import pooled
    from tunesmith.ml.load import choose_device, load_model
    from tunesmith.ml.machine import use_threads
    from tunesmith.ml.scheduler import Scheduler, Ticket
    from tunesmith.ml.serve_embedding import EmbeddingEngine, check_row, is_embedder
    from tunesmith.ml.serve_http import Engine, Refused, answer, leave_with_parent, read_spec
    from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row
    from tunesmith.wire.serving import (
        ChildHealth,
        GenerateRequest,
        Generation,
        LogprobSequence,
        Message,
        PromptCount,
        RowScore,
        ScoreRow,
        StreamChunk,
        Tools,
    )
    from tunesmith.wire.spec import ServeSpec

BATCH_ROWS = 16
BATCH_TOKENS = 8192
LOGIT_NUMBERS = 2**26
"""Most numbers that the logits of one scoring batch may have (256 MiB in float32)."""
EXACT_FILE_BYTES = 4 * 10**9
"""Up to this size a CPU computes in float32: the answer then does not depend on who else is in the batch."""
ONE_THREAD_BYTES = 256 * 2**20
"""Below this size threads wait for each other longer than they compute, most of all on a machine that is busy."""


class TransformersEngine(Engine):
    """A model of transformers, with or without a PEFT adapter, behind one thread."""

    def __init__(self, spec: ServeSpec) -> None:
        folder = Path(spec.model_path)
        texts = Path(spec.tokenizer_path or spec.model_path)
        device = choose_device(spec.device)
        size_bytes = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
        dtype: Any = torch.float32 if device.type == "cpu" and size_bytes <= EXACT_FILE_BYTES else "auto"
        if device.type == "cpu":
            use_threads(1 if size_bytes <= ONE_THREAD_BYTES else None)
        loaded = load_model(folder, device=spec.device, dtype=dtype)
        self._base = loaded.model
        self._device = loaded.device
        self._shelf = AdapterShelf(loaded.model, loaded.device)
        self._tokenizer = TextTokenizer.from_folder(texts)
        self._template_folder = texts
        config = self._base.config.get_text_config()
        self._vocab_size = int(config.vocab_size)
        self._context_length = int(getattr(config, "max_position_embeddings", None) or 2**20)
        self._ends = _end_tokens(self._base, self._tokenizer)
        self._known = set(inspect.signature(self._base.forward).parameters)
        self._scheduler = Scheduler(
            lambda adapter: Batch(self._forward(adapter), self._ends, self._device, self._decoded)
        )

    def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        used = psutil.Process().memory_info().rss
        if self._device.type == "cuda":
            used = torch.cuda.memory_allocated()
        return ChildHealth(
            backend="transformers",
            device=self._device.type,
            dtype=str(next(self._base.parameters()).dtype).removeprefix("torch."),
            vocab_size=self._vocab_size,
            context_length=self._context_length,
            active=self._scheduler.active,
            waiting=self._scheduler.waiting,
            memory_bytes=used,
            end_token_ids=sorted(self._ends),
        )

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """The prompt, as training rendered it."""
        return self._render(messages, add_generation_prompt, tools)

    async def count(self, messages: list[Message]) -> PromptCount:
        """The prompt's tokens."""
        prompt = self._render(messages, True)
        return PromptCount.of(prompt, len(self._tokenizer.encode(prompt).ids))

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self._tokenizer.encode(text).ids

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Continue many prompts, in batches of like length."""
        rows = [self._row(index, request) for index, request in enumerate(requests)]
        ordered = sorted(rows, key=lambda row: len(row.prompt_ids))
        batches = [ordered[at : at + BATCH_ROWS] for at in range(0, len(ordered), BATCH_ROWS)]

        def work() -> Iterator[None]:
            for batch in batches:
                for _ in self._continue(batch, adapter):
                    yield None

        await _all(self._scheduler.submit(work))
        return [_generation(row) for row in rows]

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece."""
        row = self._row(0, request)
        ticket = self._scheduler.submit_row(row, adapter)
        is_first = True
        async with contextlib.aclosing(ticket.outputs()) as pieces:
            async for piece, told in pieces:
                read = len(row.prompt_ids) if is_first else 0
                yield StreamChunk(delta=piece, prompt_tokens=read, logprobs=told)
                is_first = False
        spent = len(row.token_ids) + (row.stop_token_id is not None)
        yield StreamChunk(finish_reason=row.finish_reason, prompt_tokens=len(row.prompt_ids), completion_tokens=spent)

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """The mean of the last hidden states of each input, with length one."""
        rows = await asyncio.to_thread(self._rows, inputs)
        vectors: dict[int, np.ndarray[Any, Any]] = {}

        def work() -> Iterator[None]:
            for batch in _batches([len(row) for row in rows], 1):
                longest = max(len(rows[at]) for at in batch)
                ids = torch.tensor([rows[at] + [0] * (longest - len(rows[at])) for at in batch])
                mask = torch.tensor([[1] * len(rows[at]) + [0] * (longest - len(rows[at])) for at in batch])
                kept = {"logits_to_keep": 1} if "logits_to_keep" in self._known else {}
                out = self._shelf.model(adapter)(
                    input_ids=ids.to(self._device),
                    attention_mask=mask.to(self._device),
                    output_hidden_states=True,
                    use_cache=False,
                    **kept,
                )
                vectors.update(zip(batch, pooled(out.hidden_states[-1], mask, "mean"), strict=True))
                yield None

        await _all(self._scheduler.submit(work))
        return np.stack([vectors[at] for at in range(len(rows))]), [len(row) for row in rows]

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Teacher-forced loss of rows, in batches of like length."""
        prepared = [self._labelled(row) for row in rows]
        scores: dict[int, RowScore] = {}

        def work() -> Iterator[None]:
            for batch in _batches([len(ids) for ids, _ in prepared], self._vocab_size):
                for index, loss_sum in zip(batch, self._losses([prepared[i] for i in batch], adapter), strict=True):
                    ids, labels = prepared[index]
                    trained = sum(label != IGNORED for label in labels[1:])
                    scores[index] = RowScore(loss_sum=loss_sum, trained_tokens=trained, tokens=len(ids))
                yield None

        await _all(self._scheduler.submit(work))
        return [scores[index] for index in range(len(rows))]

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """Distributions that predict each sequence's tokens from its start on; one sequence at a time, without padding."""
        for sequence in sequences:
            self._check_ids(sequence.token_ids)
        found: list[np.ndarray[Any, Any]] = []

        def work() -> Iterator[None]:
            for sequence in sequences:
                ids = torch.tensor([sequence.token_ids[:-1]], device=self._device)
                logits = self._forward(adapter)(input_ids=ids).logits[0, sequence.start - 1 :]
                distribution = torch.log_softmax(logits.float(), dim=-1)
                if top is None:
                    found.append(distribution.cpu().numpy())
                else:
                    values, tokens = distribution.topk(min(top, distribution.shape[-1]), dim=-1)
                    found.extend([tokens.int().cpu().numpy(), values.cpu().numpy()])
                yield None

        await _all(self._scheduler.submit(work))
        return found

    def _rows(self, inputs: list[str | list[int]]) -> list[list[int]]:
        rows = [self._tokenizer.encode(one).ids if isinstance(one, str) else one for one in inputs]
        for row in rows:
            check_row(row, self._context_length, self._vocab_size)
        return rows

    def _render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        try:
            template = ChatTemplate.from_folder(self._template_folder)
            return template.render(messages, add_generation_prompt=add_generation_prompt, tools=tools)
        except TunesmithError as error:
            raise Refused(error.code, error.message, error.status) from error

    def _decoded(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=False)

    def _row(self, index: int, request: GenerateRequest) -> Row:
        if request.token_ids is not None:
            ids = request.token_ids
        else:
            text = request.prompt or ""
            if request.messages is not None:
                text = self._render(request.messages, True, request.tools)
            ids = self._tokenizer.encode_begun(text) if request.is_whole else self._tokenizer.encode(text).ids
        self._check_ids(ids)
        room = self._context_length - len(ids)
        if room < 1:
            raise Refused(
                "context-overflow",
                f"The prompt has {len(ids)} tokens; this model reads at most {self._context_length}, answer included.",
            )
        stream = TextStream(self._tokenizer.decode, request.stop)
        return Row(index, ids, request, stream, min(request.max_new_tokens, room))

    def _check_ids(self, ids: list[int]) -> None:
        if not ids:
            raise Refused("empty-prompt", "The prompt has no tokens.")
        if min(ids) < 0 or max(ids) >= self._vocab_size:
            raise Refused("token-id", f"Token ids of this model are 0 to {self._vocab_size - 1}.")

    def _labelled(self, row: ScoreRow) -> tuple[list[int], list[int]]:
        if row.input_ids is not None and row.labels is not None:
            ids, labels = row.input_ids, row.labels
        else:
            try:
                template = ChatTemplate.from_folder(self._template_folder)
                made = tokenize_row({"messages": row.messages, "tools": row.tools}, self._tokenizer, template)
            except TunesmithError as error:
                raise Refused(error.code, error.message, error.status) from error
            ids, labels = made.input_ids, made.labels
        self._check_ids(ids)
        if len(ids) > self._context_length:
            raise Refused(
                "context-overflow", f"A row has {len(ids)} tokens; this model reads at most {self._context_length}."
            )
        return ids, labels

    def _continue(self, rows: list[Row], adapter: str | None) -> Iterator[list[tuple[Row, str]]]:
        pad = self._tokenizer.pad_id if self._tokenizer.pad_id is not None else 0
        return continue_rows(self._forward(adapter), rows, self._ends, pad, self._device)

    def _losses(self, batch: list[tuple[list[int], list[int]]], adapter: str | None) -> list[float]:
        longest = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([i + [0] * (longest - len(i)) for i, _ in batch], device=self._device)
        labels = torch.tensor([lab + [IGNORED] * (longest - len(lab)) for _, lab in batch], device=self._device)
        mask = torch.tensor([[1] * len(i) + [0] * (longest - len(i)) for i, _ in batch], device=self._device)
        logits = self._forward(adapter)(input_ids=ids, attention_mask=mask).logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(
            logits.float().transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none"
        )
        return [float(x) for x in losses.double().sum(-1)]

    def _forward(self, adapter: str | None) -> Any:
        """The model as a function, with the adapter on or off at the time of each call."""

        def forward(**inputs: Any) -> Any:
            model = self._shelf.model(adapter)
            generating = inputs.pop("last_only", False)
            if generating and "logits_to_keep" in self._known:
                inputs["logits_to_keep"] = 1
            if "position_ids" not in self._known:
                inputs.pop("position_ids", None)
            return model(**inputs, use_cache=generating)

        return forward


def _end_tokens(model: Any, tokenizer: TextTokenizer) -> frozenset[int]:
    """Every token that ends an answer: of the generation config, the model config and the tokenizer."""
    named = [getattr(getattr(model, "generation_config", None), "eos_token_id", None), model.config.eos_token_id]
    flat = [i for entry in named if entry is not None for i in (entry if isinstance(entry, list) else [entry])]
    return frozenset(i for i in [*flat, tokenizer.eos_id] if i is not None)


def _batches(lengths: list[int], vocab_size: int) -> list[list[int]]:
    """Row numbers in batches of like length whose logits stay within bounds."""
    budget = min(BATCH_TOKENS, max(1, LOGIT_NUMBERS // vocab_size))
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        last = batches[-1] if batches else None
        if last is not None and (len(last) + 1) * lengths[index] <= budget:
            last.append(index)
        else:
            batches.append([index])
    return batches


def _generation(row: Row) -> Generation:
    return Generation(
        text=row.text,
        token_ids=row.token_ids,
        stop_token_id=row.stop_token_id,
        finish_reason=row.finish_reason or "length",
        prompt_tokens=len(row.prompt_ids),
    )


async def _all(ticket: Ticket) -> None:
    """Wait for work that keeps its own results."""
    async for _ in ticket.outputs():
        continue


def main() -> None:
    """Load, then answer."""
    folder = Path(sys.argv[1])
    leave_with_parent()
    spec = read_spec(folder)
    leave_out_bitsandbytes(Path(spec.model_path))
    kind = EmbeddingEngine if is_embedder(Path(spec.model_path)) else TransformersEngine
    answer(folder, kind(spec))


if __name__ == "__main__":
    main()
