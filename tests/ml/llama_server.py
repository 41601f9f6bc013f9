"""llama.cpp's own server, in process, as the judge of what was written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np


class LlamaServer:
    """A GGUF file that has been loaded by llama.cpp."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def _post(self, path: str, **body: Any) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tokenize(self, text: str, *, add_special: bool = False) -> list[int]:
        """Token ids of a text, special tokens recognised."""
        tokens: list[int] = self._post("/tokenize", content=text, add_special=add_special, parse_special=True)["tokens"]
        return tokens

    def render(self, messages: list[dict[str, str]]) -> str:
        """The prompt of a conversation."""
        prompt: str = self._post("/apply-template", messages=messages)["prompt"]
        return prompt

    def log_probabilities(self, tokens: list[int], vocab_size: int) -> np.ndarray[Any, Any]:
        """Of the token that follows ``tokens``.

        The server keeps back the probabilities of a token that ends inside a character, so the token that is drawn is
        forced to be a letter; the probabilities are taken before that bias.
        """
        letter = self.tokenize("a")[-1]
        body = {"n_predict": 1, "n_probs": vocab_size, "temperature": 0, "logit_bias": [[letter, 1000.0]]}
        body |= {"prompt": tokens, "cache_prompt": False}
        found = self._post("/completion", **body)["completion_probabilities"][0]["top_logprobs"]
        row = np.full(vocab_size, -np.inf)
        for entry in found:
            row[entry["id"]] = entry["logprob"]
        return row


@contextlib.contextmanager
def llama_server(path: Path) -> Iterator[LlamaServer]:
    """Load a file for as long as the block lasts."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.port, params.verbosity = 256, 1, 0, -1
    params.cpuparams.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)
    with httpx.Client(base_url=server.listening_address, timeout=60) as http:
        yield LlamaServer(http)
    del server
