"""Text to token ids and back, with the character range of each token."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tokenizers

from tunesmith.text.errors import TokenizerError
from tunesmith.text.folder import special_tokens


@dataclass(frozen=True)
class Encoded:
    """``ids`` and ``offsets`` have one entry for each token; an offset is a half-open character range of the text.

    A character of several bytes may be several tokens; they then carry the same range.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]


class TextTokenizer:
    """The tokenizer of a model folder. Adds no special tokens by itself; recognises those that the text contains."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, named_tokens: dict[str, str]) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._named = named_tokens

    @classmethod
    def from_folder(cls, folder: Path | str) -> TextTokenizer:
        """Read ``tokenizer.json`` and the names of the special tokens beside it."""
        folder = Path(folder)
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise TokenizerError(f"{folder.name} has no tokenizer.json.")
        try:
            return cls(tokenizers.Tokenizer.from_file(str(path)), special_tokens(folder))
        except Exception as error:  # the library raises bare Exception for every fault in the file
            raise TokenizerError(f"The tokenizer.json of {folder.name} cannot be read: {error}") from error

    @cached_property
    def content_sha256(self) -> str:
        """Of everything that the tokenizer does: two with the same answer the same."""
        return hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest()

    @property
    def vocab_size(self) -> int:
        """Number of entries, special tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of the special tokens."""
        added = self._tokenizer.get_added_tokens_decoder()
        return frozenset(token_id for token_id, token in added.items() if token.special)

    @property
    def eos_id(self) -> int | None:
        """End of a turn or text."""
        return self._named_id("eos_token")

    @property
    def pad_id(self) -> int | None:
        """Padding."""
        return self._named_id("pad_token")

    @property
    def bos_id(self) -> int | None:
        """Beginning of a text; many models have none."""
        return self._named_id("bos_token")

    @property
    def eos_token(self) -> str:
        """The end-of-text token as text; empty when the tokenizer names none."""
        return self._named.get("eos_token", "")

    @cached_property
    def added_beginning(self) -> str:
        """The beginning-of-text token, where the tokenizer file puts it before a text by itself; else empty."""
        bos = self._named.get("bos_token", "")
        added = self._tokenizer.encode("a", add_special_tokens=True).ids[:1]
        return bos if bos and added == [self.token_id(bos)] else ""

    def token_id(self, token: str) -> int | None:
        """Id of one token, ``None`` when the vocabulary does not have it."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

    def encode(self, text: str) -> Encoded:
        """Ids and offsets of one text."""
        encoding = self._tokenizer.encode(_encodable(text), add_special_tokens=False)
        return Encoded(encoding.ids, encoding.offsets)

    def encode_begun(self, text: str) -> list[int]:
        """Ids of a text that is no conversation: from the token that the tokenizer puts before a text, where it has one."""
        ids = self.encode(text).ids
        beginning = [self.bos_id] if self.added_beginning and self.bos_id is not None else []
        return ids if ids[: len(beginning)] == beginning else beginning + ids

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """Ids and offsets of several texts, on all cores."""
        encodings = self._tokenizer.encode_batch([_encodable(t) for t in texts], add_special_tokens=False)
        return [Encoded(encoding.ids, encoding.offsets) for encoding in encodings]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, on all cores and without offsets."""
        encodings = self._tokenizer.encode_batch_fast([_encodable(t) for t in texts], add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """The text of ``ids``."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def _named_id(self, name: str) -> int | None:
        token = self._named.get(name)
        return None if token is None else self.token_id(token)


_HALF_SURROGATE = re.compile("[\ud800-\udfff]")


def _encodable(text: str) -> str:
    """Replace half surrogates, which JSON can carry and UTF-8 cannot, one character for one."""
    return text if text.isascii() else _HALF_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
