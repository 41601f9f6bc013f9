"""Which tokens carry loss: the trainer's labels and the mask X-ray's colours come from here, and only from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.text.chat_template import ChatTemplate, Message, Rendered
from tunesmith.text.errors import RowNotTokenizable
from tunesmith.text.tokenizer import TextTokenizer

IGNORED = -100
"""The label of a token without loss, as torch's cross entropy knows it."""

PromptCompletion = Mapping[str, Any]
"""``{"messages": […], "tools"?: […]}``, or ``{"prompt": …, "completion": …}`` as two texts or two lists of messages."""


@dataclass(frozen=True)
class TokenizedRow:
    """One row as the trainer sees it.

    ``input_ids``, ``labels`` and ``offsets`` have one entry per token; ``labels[i]`` is ``input_ids[i]`` where the token
    carries loss, else ``IGNORED`` (the model shifts by one itself). ``offsets`` are ranges of characters of ``text``.
    ``total_tokens`` counts before truncation. ``end_of_turn_trained`` says that every answer ends in a special token
    that carries loss, so that the model learns to stop.
    """

    input_ids: list[int]
    labels: list[int]
    text: str
    offsets: list[tuple[int, int]]
    trained_tokens: int
    total_tokens: int
    truncated: bool
    end_of_turn_trained: bool


def tokenize_row(
    row: Sequence[Message] | PromptCompletion,
    tokenizer: TextTokenizer,
    template: ChatTemplate | None,
    max_length: int | None = None,
) -> TokenizedRow:
    """Tokenise a conversation, or a prompt with its completion, and mask all but what the assistant wrote.

    A conversation goes through ``template``. A prompt and completion that are plain texts are joined as they are and
    closed with the end-of-text token. Rows longer than ``max_length`` tokens lose their right end, and say so.
    """
    rendered = _rendered(row, tokenizer, template)
    encoded = tokenizer.encode(rendered.text)
    trained = _overlaps(encoded.offsets, rendered.trained_spans)
    kept = len(encoded.ids) if max_length is None else min(max_length, len(encoded.ids))
    ids = encoded.ids[:kept]
    labels = [token if wanted else IGNORED for token, wanted in zip(ids, trained[:kept], strict=True)]
    return TokenizedRow(
        input_ids=ids,
        labels=labels,
        text=rendered.text,
        offsets=encoded.offsets[:kept],
        trained_tokens=sum(label != IGNORED for label in labels),
        total_tokens=len(encoded.ids),
        truncated=kept < len(encoded.ids),
        end_of_turn_trained=_turns_end(rendered.trained_spans, encoded.offsets[:kept], labels, tokenizer.special_ids),
    )


def _rendered(
    row: Sequence[Message] | PromptCompletion, tokenizer: TextTokenizer, template: ChatTemplate | None
) -> Rendered:
    messages: Any = row
    tools = None
    if isinstance(row, Mapping):
        tools = row.get("tools")
        prompt, completion = row.get("prompt"), row.get("completion")
        if isinstance(prompt, str) and isinstance(completion, str):
            text = prompt + completion + tokenizer.eos_token
            return Rendered(text, [(len(prompt), len(text))])
        if isinstance(prompt, Sequence) and isinstance(completion, Sequence) and not isinstance(prompt, str):
            messages = [*prompt, *completion]
        else:
            messages = row.get("messages")
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes) or not messages:
        raise RowNotTokenizable("The row has neither messages nor a prompt with its completion.")
    if template is None:
        raise RowNotTokenizable("A conversation needs the model's chat template, and none was given.")
    return template.render_with_spans(messages, tools=tools) if tools else template.render_with_spans(messages)


def _overlaps(offsets: list[tuple[int, int]], spans: list[tuple[int, int]]) -> list[bool]:
    """For each token: does it share a character with one of ``spans``? Both lists are in the order of the text."""
    found: list[bool] = []
    position = 0
    for start, end in offsets:
        while position < len(spans) and spans[position][1] <= start:
            position += 1
        found.append(position < len(spans) and start < end and spans[position][0] < end)
    return found


def _turns_end(
    spans: list[tuple[int, int]], offsets: list[tuple[int, int]], labels: list[int], special: frozenset[int]
) -> bool:
    """Whether each span's last token is a special one with loss; a span that was cut off has none."""
    last_labels = {end: label for (_, end), label in zip(offsets, labels, strict=True)}
    return bool(spans) and all(last_labels.get(end, IGNORED) in special for _, end in spans)
