"""The pass that counts tokens: batches of texts go to the tokenizer, on all cores, while the next batch is read."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from tunesmith.domains.datasets.exploration.conversations import MAX_ROLES, OTHER_ROLES, PLACES
from tunesmith.domains.datasets.exploration.lengths import LengthCounts
from tunesmith.domains.datasets.readers import Record
from tunesmith.domains.datasets.schemas.tokens import RefusedRow
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tokens.sequences import Tokenization, Trainable, column_texts, spoken
from tunesmith.kit.errors import TunesmithError

Look = Callable[[int, int], None]
"""Called with rows and bytes that have been read; may raise to end the pass."""

BATCH_ROWS = 2048
BATCH_CHARACTERS = 4 << 20
MAX_COLUMNS = 200
SHOWN_REFUSED = 20


class Named:
    """Token counts of bare texts by column, role or place."""

    def __init__(self, limit: int, other: str) -> None:
        self._limit = limit
        self._other = other
        self._counts: dict[str, LengthCounts] = {}

    def note(self, name: str, tokens: int) -> None:
        """Count one text; names beyond the limit share one."""
        if name not in self._counts and len(self._counts) >= self._limit:
            name = self._other
        self._counts.setdefault(name, LengthCounts()).note(tokens)

    def items(self) -> Iterator[tuple[str, LengthCounts]]:
        """Names in the order in which they came."""
        yield from self._counts.items()


@dataclass
class TokenCounts:
    """What one pass has counted; ``sequences`` has the tokens of each, in the order of the file."""

    sequences: array[int] = field(default_factory=lambda: array("I"))
    rows: int = 0
    rows_left_out: int = 0
    rows_refused: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    raw_tokens: int = 0
    characters: int = 0
    columns: Named = field(default_factory=lambda: Named(MAX_COLUMNS, "(other)"))
    roles: Named = field(default_factory=lambda: Named(MAX_ROLES, OTHER_ROLES))
    turns: Named = field(default_factory=lambda: Named(PLACES, f"{PLACES + 1}+"))


@dataclass
class _Batch:
    """Texts to count, each once, and where their counts belong."""

    texts: dict[str, int] = field(default_factory=dict)
    written: list[int] = field(default_factory=list)
    columns: list[tuple[str, int]] = field(default_factory=list)
    turns: list[tuple[int, str, int]] = field(default_factory=list)
    characters: int = 0

    def place(self, text: str) -> int:
        """Where the count of ``text`` will be."""
        at = self.texts.get(text)
        if at is None:
            at = self.texts[text] = len(self.texts)
            self.characters += len(text)
        return at


def count_tokens(source: RowSource, tokenization: Tokenization, look: Look = lambda rows, size: None) -> TokenCounts:
    """Count every row of ``source`` that can be trained on."""
    counts, trainable = TokenCounts(), Trainable(source.format)
    waiting: tuple[_Batch, Future[list[int]]] | None = None
    with source.open() as data, ThreadPoolExecutor(max_workers=1) as pool:
        batch, read = _Batch(), 0
        for record in data.records():
            if record.is_row:
                read += 1
                _take(record, trainable, tokenization, batch, counts)
            if read % BATCH_ROWS == 0 or batch.characters >= BATCH_CHARACTERS:
                if batch.texts:
                    waiting = _send(pool, tokenization, batch, waiting, counts)
                    batch = _Batch()
                look(read, record.offset)
        waiting = _send(pool, tokenization, batch, waiting, counts)
        _sum_up(*waiting, counts)
    return counts


def _send(
    pool: ThreadPoolExecutor,
    tokenization: Tokenization,
    batch: _Batch,
    waiting: tuple[_Batch, Future[list[int]]] | None,
    counts: TokenCounts,
) -> tuple[_Batch, Future[list[int]]]:
    """Have ``batch`` counted; at most one batch is counted while the next is read."""
    if waiting is not None:
        _sum_up(*waiting, counts)
    return batch, pool.submit(tokenization.tokenizer.count, list(batch.texts))


def _take(record: Record, trainable: Trainable, tokenization: Tokenization, batch: _Batch, counts: TokenCounts) -> None:
    example = None if record.fault is not None else trainable.example(record.value)
    if example is None:
        counts.rows_left_out += 1
        return
    try:
        written = tokenization.sequences(example)
    except TunesmithError as error:
        counts.rows_refused += 1
        if len(counts.refused) < SHOWN_REFUSED:
            counts.refused.append(RefusedRow(row=record.row, message=error.message[:300]))
        return
    counts.rows += 1
    batch.written.extend(batch.place(text) for text in written)
    for name, text in column_texts(record.value):
        batch.columns.append((name, batch.place(text)))
    for at, role, text in spoken(example):
        counts.characters += len(text)
        batch.turns.append((at, role, batch.place(text)))


def _sum_up(batch: _Batch, counted: Future[list[int]], counts: TokenCounts) -> None:
    tokens = counted.result()
    counts.sequences.extend(tokens[at] for at in batch.written)
    for name, at in batch.columns:
        counts.columns.note(name, tokens[at])
    for place, role, at in batch.turns:
        counts.raw_tokens += tokens[at]
        counts.roles.note(role, tokens[at])
        counts.turns.note(str(place + 1) if place < PLACES else f"{PLACES + 1}+", tokens[at])
