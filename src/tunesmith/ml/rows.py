"""From rows of messages to the batches that the model sees: tokenise, pack, collate.

Packing fills one sequence with several documents. Each document's positions begin at zero again, and from that transformers
builds a mask in which a token sees only its own document. Two things keep that exact: the model runs without a cache
(``use_cache=False``; with one, documents see each other), and no attention mask is given (with one, positions are ignored).

``targets`` are the labels moved by one *inside* their document, so the last token of one never predicts the next one's first.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.failures import data_failure
from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row


@dataclass
class TokenRows:
    """Tokenised documents, end to end in two flat arrays: five bytes a token, whatever the number of rows."""

    input_ids: npt.NDArray[np.int32]
    trained: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    cut: int = 0
    without_target: list[int] = field(default_factory=list)
    divided: int = 0

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each document."""
        return np.diff(self.starts)

    def document(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Ids and targets of one document: at each place, the next token if it is trained on."""
        here = slice(self.starts[index], self.starts[index + 1])
        ids, trained = self.input_ids[here], self.trained[here]
        targets = np.full(len(ids), IGNORED, dtype=np.int64)
        targets[:-1] = np.where(trained[1:], ids[1:], IGNORED)
        return ids, targets


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and content of each row of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, json.loads(line)


def tokenize_file(path: Path, tokenizer: TextTokenizer, template: ChatTemplate, max_length: int) -> TokenRows:
    """Tokenise a file of conversations, cut to ``max_length``; rows without a trained token are left out and named."""
    ids: list[npt.NDArray[np.int32]] = []
    trained: list[npt.NDArray[np.bool_]] = []
    lengths = [0]
    cut, without_target, stopless, last = 0, [], [], 0
    for number, content in read_rows(path):
        last = number
        try:
            row = tokenize_row(content, tokenizer, template, max_length)
        except TunesmithError as error:
            raise data_failure(f"Row {number}: {error.message}", error.hint) from error
        carries_loss = np.asarray(row.labels) != IGNORED
        if not carries_loss[1:].any():
            without_target.append(number)
            continue
        if row.stops_in_padding:
            stopless.append(number)
        cut += row.truncated
        ids.append(np.asarray(row.input_ids, dtype=np.int32))
        trained.append(carries_loss)
        lengths.append(len(carries_loss))
    if stopless:
        raise data_failure(
            f"The padding token is the end-of-turn token of this model, in {_named(stopless)}: what leaves padding out by its id "
            "never teaches the model to stop.",
            "Name a pad_token of its own in the model's tokenizer_config.json (for example its unk_token).",
        )
    if not ids:
        raise data_failure(
            f"There is nothing to learn: no row of {last} has an assistant's answer within {max_length} tokens"
            + (f" ({_named(without_target)})." if without_target else "."),
            "Rows need an assistant message with text; if the prompts are long, raise training.max_length.",
        )
    starts = np.cumsum(np.asarray(lengths, dtype=np.int64))
    return TokenRows(np.concatenate(ids), np.concatenate(trained), starts, cut, without_target)


def tokenize_texts(path: Path, tokenizer: TextTokenizer, max_length: int) -> TokenRows:
    """Tokenise a file of plain texts, all tokens trained on; one longer than ``max_length`` becomes several documents."""
    pieces: list[npt.NDArray[np.int32]] = []
    empty: list[int] = []
    last = divided = 0
    for number, content in read_rows(path):
        last = number
        ids = tokenizer.encode_begun(content["text"] + tokenizer.eos_token)
        if not content["text"].strip() or len(ids) < 2:
            empty.append(number)
            continue
        divided += len(ids) > max_length
        # A piece begins with the token that the one before ended with, so that each token is predicted once.
        starts = range(0, max(len(ids) - 1, 1), max_length - 1)
        pieces += [np.asarray(ids[at : at + max_length], dtype=np.int32) for at in starts]
    if not pieces:
        raise data_failure(
            f"There is nothing to learn: none of the {last} texts has two tokens.", "Rows need a text with words in it."
        )
    lengths = [len(piece) for piece in pieces]
    trained = np.ones(sum(lengths), dtype=np.bool_)
    starts_at = np.cumsum(np.asarray([0, *lengths], dtype=np.int64))
    trained[starts_at[:-1]] = False  # nothing predicts the first token of a document
    return TokenRows(np.concatenate(pieces), trained, starts_at, without_target=empty, divided=divided)


def _named(rows: list[int]) -> str:
    return f"row{'s' if len(rows) > 1 else ''} " + ", ".join(map(str, rows[:10])) + (" …" if len(rows) > 10 else "")


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Best fit, longest first: which documents share a sequence of at most ``capacity`` tokens.

    Each document goes where the least room would be left; the same lengths give the same answer always.
    """
    sequences: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (free tokens, sequence), sorted
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = int(lengths[index])
        place = bisect.bisect_left(room, (length, -1))
        if place == len(room):
            sequences.append([index])
            free, sequence = capacity - length, len(sequences) - 1
        else:
            free, sequence = room.pop(place)
            sequences[sequence].append(index)
            free -= length
        bisect.insort(room, (free, sequence))
    return sequences


class Batches:
    """Sequences of documents by number, and the collator that turns some of them into tensors."""

    def __init__(self, rows: TokenRows, *, packing: bool, max_length: int, pad_id: int) -> None:
        self.rows = rows
        self.pad_id = pad_id
        self.is_packed = packing
        self.cut = rows.cut
        self.sequences = pack(rows.lengths.tolist(), max_length) if packing else [[i] for i in range(len(rows))]

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each sequence."""
        lengths = self.rows.lengths
        return [int(sum(lengths[i] for i in documents)) for documents in self.sequences]

    def collate(self, examples: Iterable[dict[str, int]]) -> dict[str, Any]:
        """One batch. Padding is a document of its own at every place: it sees nothing and trains nothing."""
        chosen = [self.sequences[example["sequence"]] for example in examples]
        widths = [int(sum(self.rows.lengths[i] for i in documents)) for documents in chosen]
        shape = (len(chosen), max(widths))
        input_ids = torch.full(shape, self.pad_id, dtype=torch.long)
        position_ids = torch.zeros(shape, dtype=torch.long)
        targets = torch.full(shape, IGNORED, dtype=torch.long)
        for line, documents in enumerate(chosen):
            at = 0
            for index in documents:
                ids, wanted = self.rows.document(index)
                here = slice(at, at + len(ids))
                input_ids[line, here] = torch.from_numpy(ids.astype(np.int64))
                targets[line, here] = torch.from_numpy(wanted)
                position_ids[line, here] = torch.arange(len(ids))
                at += len(ids)
        trained = int((targets != IGNORED).sum())
        batch = {"input_ids": input_ids, "position_ids": position_ids, "targets": targets, "tokens": sum(widths)}
        return batch | {"counts": {"tokens": trained}}
