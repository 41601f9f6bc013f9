"""A leak-safe split: rows whose prompts are the same, but for case, spaces and punctuation, stay in one part.

Each group's place in a shuffled order comes from a keyed digest of its normalised prompt, so the split depends on the content
and the seed alone, not on the order of the rows. Memory: 8 bytes a row.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from array import array
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.doctor import Limits, examine
from tunesmith.domains.datasets.doctor.digests import digest
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.rows import Turn
from tunesmith.domains.datasets.errors import DatasetRedError, PreprocessingError
from tunesmith.domains.datasets.source import RowSource

PARTS = ("train", "validation", "test")
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class PartFile:
    """One part, written."""

    part: str
    path: Path
    rows: int


def normalised(text: str) -> str:
    """``text`` without what does not change a question: case, white space, punctuation, Unicode form."""
    return _NOISE.sub("", unicodedata.normalize("NFC", text).casefold())


def prompt_digest(turns: list[Turn], seed: int) -> int:
    """A digest of what is asked (``CheckedRow.prompt``) without the system's turn; ``seed`` makes another order of them."""
    spoken = [turn.text for turn in turns if turn.role != "system"]
    texts = [normalised(text) for text in spoken]
    return digest(str(seed), *(texts if any(texts) else spoken))


def split_file(
    source: RowSource, folder: Path, *, shares: Mapping[str, float], seed: int
) -> tuple[list[PartFile], int]:
    """Write each part with a share above 0 as JSON Lines; answers them and the number of groups.

    Raises DatasetRedError when a row cannot be read, and PreprocessingError when there are fewer groups than parts.
    """
    wanted = [part for part in PARTS if shares.get(part, 0) > 0]
    digests = _digests(source, seed)
    part_of_row, groups = _assign(digests, [shares[part] for part in wanted])
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{part}.jsonl" for part in wanted]
    with source.open() as data, ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for record in data.records():
            if record.is_row:
                line = json.dumps(record.value, ensure_ascii=False)
                files[part_of_row[record.row - 1]].write(line.encode() + b"\n")
    counts = np.bincount(part_of_row, minlength=len(wanted))
    return [PartFile(part, path, int(count)) for part, path, count in zip(wanted, paths, counts, strict=True)], groups


def _digests(source: RowSource, seed: int) -> NDArray[np.uint64]:
    digests = array("Q")
    red: list[int] = []
    tally = Tally()
    with source.open() as data:
        for examined in examine(data, source.format, Limits(check_pii=False, check_duplicates=False), tally):
            if examined.is_red:
                red.append(examined.findings[0].row)
            elif examined.checked is not None:
                digests.append(prompt_digest(examined.checked.prompt, seed))
    if red:
        shown = ", ".join(str(row) for row in red[:20]) + (" …" if len(red) > 20 else "")
        raise DatasetRedError(f"{len(red)} rows cannot be trained on, so the data is not split: rows {shown}.")
    return np.frombuffer(digests, dtype=np.uint64)


def _assign(digests: NDArray[np.uint64], shares: list[float]) -> tuple[NDArray[np.int64], int]:
    """The part of each row: groups in the order of their digests, cut where the shares say."""
    keys, group_of_row, sizes = np.unique(digests, return_inverse=True, return_counts=True)
    if len(keys) < len(shares):
        raise PreprocessingError(
            f"There are {len(keys)} different prompts, which cannot be divided into {len(shares)} parts.",
            hint="Ask for fewer parts, or add rows with other prompts.",
        )
    middles = (np.cumsum(sizes) - sizes / 2) / len(digests)
    cuts = [int(cut) for cut in np.searchsorted(middles, np.cumsum(shares)[:-1])]
    for at in range(len(cuts)):  # a share that rounds to nothing still gets one group
        cuts[at] = max(cuts[at], (cuts[at - 1] if at else 0) + 1)
    for at in reversed(range(len(cuts))):
        cuts[at] = min(cuts[at], (cuts[at + 1] if at + 1 < len(cuts) else len(keys)) - 1)
    part_of_group = np.searchsorted(cuts, np.arange(len(keys)), side="right")
    return part_of_group[group_of_row], len(keys)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
