"""A text as one vector: the model's last hidden states, pooled as its folder says, of length one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from transformers import AutoModel

from tunesmith.ml.load import SAFE, load_tokenizer
from tunesmith.ml.machine import choose_device, use_threads
from tunesmith.ml.tensors import ModelInvalid

POOLINGS = {"pooling_mode_cls_token": "first", "pooling_mode_lasttoken": "last", "pooling_mode_mean_tokens": "mean"}


class Embedder:
    """Any encoder or decoder of a folder with safetensors; ``1_Pooling/config.json`` (sentence-transformers) is followed."""

    def __init__(self, folder: Path, device: str, max_tokens: int) -> None:
        """Raises ModelInvalid when the folder has no weights as safetensors."""
        if not any(folder.glob("*.safetensors")):
            raise ModelInvalid(f"{folder} has no weights as safetensors; other weight files are not read.")
        use_threads(None)
        self._device = choose_device(device)
        self._tokenizer = load_tokenizer(folder)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        model = AutoModel.from_pretrained(str(folder), dtype=torch.float32, use_safetensors=True, **SAFE)
        self._model = model.to(self._device).eval()
        self._pooling = pooling_of(folder)
        longest = getattr(model.config, "max_position_embeddings", None) or max_tokens
        self._max_tokens = min(max_tokens, longest)
        self.vocab_size = int(model.config.get_text_config().vocab_size)

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._device.type)

    @property
    def max_tokens(self) -> int:
        """Longest text, special tokens included."""
        return self._max_tokens

    def encode(self, text: str) -> list[int]:
        """Token ids of a text with the special tokens that its model was trained with."""
        return list(self._tokenizer(text)["input_ids"])

    @torch.no_grad()
    def embed(self, texts: list[str], batch_tokens: int) -> tuple[NDArray[np.float32], int]:
        """Vectors of length one, (texts, width), in the order of ``texts``, and how many texts were cut."""
        encoded = self._tokenizer(texts, truncation=True, max_length=self._max_tokens + 1)["input_ids"]
        cut = sum(len(ids) > self._max_tokens for ids in encoded)
        rows = [ids[: self._max_tokens] or [self._tokenizer.pad_token_id] for ids in encoded]
        return self.embed_ids(rows, batch_tokens), cut

    @torch.no_grad()
    def embed_ids(self, rows: list[list[int]], batch_tokens: int) -> NDArray[np.float32]:
        """The same of token ids, none of them empty or too long."""
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        answer: NDArray[np.float32] | None = None
        while order:
            size = max(1, batch_tokens // len(rows[order[-1]]))
            batch, order = order[-size:], order[:-size]
            vectors = self._pooled([rows[at] for at in batch])
            if answer is None:
                answer = np.zeros((len(rows), vectors.shape[1]), np.float32)
            answer[batch] = vectors
        assert answer is not None
        return answer

    def _pooled(self, rows: list[list[int]]) -> NDArray[np.float32]:
        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        hidden = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).last_hidden_state
        return pooled(hidden, mask, self._pooling)


def pooled(hidden: torch.Tensor, mask: torch.Tensor, pooling: str) -> NDArray[np.float32]:
    """Vectors of length one (rows × width) from hidden states (rows × positions × width) of rows that are padded on the right."""
    hidden, lengths = hidden.float().cpu(), mask.sum(dim=1)
    if pooling == "first":
        chosen = hidden[:, 0]
    elif pooling == "last":
        chosen = hidden[torch.arange(len(hidden)), lengths - 1]
    else:
        chosen = (hidden * mask[:, :, None]).sum(dim=1) / lengths[:, None]
    vectors: NDArray[np.float32] = F.normalize(chosen, dim=1).numpy()
    return vectors


def pooling_of(folder: Path) -> str:
    """How the folder says that token vectors become one: first, last or mean; mean where it says nothing."""
    path = folder / "1_Pooling" / "config.json"
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return next((name for key, name in POOLINGS.items() if said.get(key)), "mean")
