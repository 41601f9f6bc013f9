"""Which tokens carry loss: the trainer's labels and the mask X-ray's colours come from here, and only from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.kit.errors import InvalidInput
from tunesmith.text.chat_template import ChatTemplate, Message, Rendered
from tunesmith.text.errors import ChatTemplateError, RowNotTokenizable
from tunesmith.text.tokenizer import Encoded, TextTokenizer

IGNORED = -100
"""The label of a token without loss, as torch's cross entropy knows it."""

PromptCompletion = Mapping[str, Any]
"""``{"messages": […], "tools"?: […]}``, or ``{"prompt": …, "completion": …}`` as two texts or two lists of messages."""


@dataclass(frozen=True)
class TokenizedRow:
    """One row as the trainer sees it.

    ``input_ids``, ``labels`` and ``offsets`` have one entry per token; ``labels[i]`` is ``input_ids[i]`` where the token
    carries loss, else ``IGNORED`` (the model shifts by one itself). ``offsets`` are ranges of characters of ``text``,
    ``trained_spans`` those that the assistant wrote, before truncation as is ``total_tokens``.
    """

    input_ids: list[int]
    labels: list[int]
    text: str
    offsets: list[tuple[int, int]]
    trained_spans: list[tuple[int, int]]
    trained_tokens: int
    total_tokens: int
    truncated: bool
    end_of_turn_trained: bool
    """Whether every answer ends in a special token that carries loss, so that the model learns to stop."""
    stops_in_padding: bool
    """Whether the padding token is the only special token that carries loss: what masks padding by its id hides the stop."""

    @property
    def is_answer_cut(self) -> bool:
        """Whether truncation took a part of an answer (and not only what follows the last one)."""
        return self.truncated and bool(self.trained_spans) and self.trained_spans[-1][1] > self.offsets[-1][1]


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
    return _masked(rendered, tokenizer.encode(rendered.text), tokenizer, max_length)


def tokenize_rows(
    rows: Sequence[Sequence[Message] | PromptCompletion],
    tokenizer: TextTokenizer,
    template: ChatTemplate | None,
    max_length: int | None = None,
) -> list[TokenizedRow | InvalidInput]:
    """The same for several rows, on all cores; a row that cannot be tokenised is answered by the reason."""
    made: list[Rendered | InvalidInput] = []
    for row in rows:
        try:
            made.append(_rendered(row, tokenizer, template))
        except (ChatTemplateError, RowNotTokenizable) as error:
            made.append(error)
    encoded = iter(tokenizer.encode_batch([each.text for each in made if isinstance(each, Rendered)]))
    return [
        _masked(each, next(encoded), tokenizer, max_length) if isinstance(each, Rendered) else each for each in made
    ]


def _masked(rendered: Rendered, encoded: Encoded, tokenizer: TextTokenizer, max_length: int | None) -> TokenizedRow:
    trained = _overlaps(encoded.offsets, rendered.trained_spans)
    kept = len(encoded.ids) if max_length is None else min(max_length, len(encoded.ids))
    ids, offsets = encoded.ids[:kept], encoded.offsets[:kept]
    labels = [token if wanted else IGNORED for token, wanted in zip(ids, trained, strict=False)]
    stops = tokenizer.special_ids.intersection(labels)
    return TokenizedRow(
        input_ids=ids,
        labels=labels,
        text=rendered.text,
        offsets=offsets,
        trained_spans=rendered.trained_spans,
        trained_tokens=kept - labels.count(IGNORED),
        total_tokens=len(encoded.ids),
        truncated=kept < len(encoded.ids),
        end_of_turn_trained=_turns_end(rendered, offsets, labels, tokenizer.special_ids),
        stops_in_padding=bool(stops) and stops == {tokenizer.pad_id},
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


def _turns_end(rendered: Rendered, offsets: list[tuple[int, int]], labels: list[int], special: frozenset[int]) -> bool:
    """Whether each span's last visible token is a special one with loss; a span that was cut off has none."""
    last_labels = {end: label for (_, end), label in zip(offsets, labels, strict=True)}
    ends = [start + len(rendered.text[start:end].rstrip()) for start, end in rendered.trained_spans]
    return bool(ends) and all(last_labels.get(end, IGNORED) in special for end in ends)
