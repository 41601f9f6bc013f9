"""What the server and a child that has a model loaded say to each other, over HTTP on loopback.

The child writes ``ready.json`` ({port, token}) into its folder when it answers. Every call carries the token. Bodies are JSON, but
for ``/logprobs``, whose answer is packed by ``pack_arrays`` because a distribution over a vocabulary is large.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tunesmith.kit.paths import write_json

if TYPE_CHECKING:
    import numpy as np

READY_FILE = "ready.json"
OUTPUT_FILE = "output.log"
SPEC_FILE = "spec.json"
CHILD_HEADER = "x-tunesmith-child"
REMOTE_KEY = "REMOTE_MODEL_KEY"
"""Environment variable in which a child gets the key of a remote address."""

Message = dict[str, Any]
Tools = list[dict[str, Any]] | None
"""What the model may call, as chat templates read it."""
FinishReason = Literal["stop", "length"]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RemoteAddress(_Wire):
    """Where a model runs that is not loaded here, and what it is called there (None: the only one)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["remote", "vllm", "tgi"]
    url: str
    model: str | None = None
    key: SecretStr | None = None


class ReadyFile(_Wire):
    """Where the child answers, and the secret that it asks for."""

    port: int
    token: str

    def write(self, folder: Path) -> None:
        """Leave it in ``folder``, readable by this user only."""
        write_json(folder / READY_FILE, self.model_dump(), mode=0o600)


class TokenLogprob(_Wire):
    """A token that was taken, how likely it was before any temperature, and the likeliest ones in its place."""

    token: str
    logprob: float
    token_bytes: list[int] | None = None
    top: list[TokenLogprob] = Field(default_factory=list)


class GenerateRequest(_Wire):
    """Continue one prompt, given as messages, as text, or as token ids. Temperature 0 is greedy and repeatable.

    ``is_whole``: a prompt that is a text gets the beginning-of-text token before it that the model's tokenizer puts there.
    """

    messages: list[Message] | None = None
    tools: Tools = None
    prompt: str | None = None
    token_ids: list[int] | None = None
    is_whole: bool = False
    max_new_tokens: int = Field(256, ge=1)
    temperature: float = Field(0.0, ge=0.0, le=10.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    seed: int | None = None
    stop: list[str] = Field(default_factory=list)
    logprobs: int | None = Field(None, ge=0, le=20)
    """Tell how likely each token was, with so many of the likeliest in its place."""

    @model_validator(mode="after")
    def _one_prompt(self) -> GenerateRequest:
        if sum(x is not None for x in (self.messages, self.prompt, self.token_ids)) != 1:
            raise ValueError("give exactly one of messages, prompt and token_ids")
        return self


class Generation(_Wire):
    """What came of a prompt. ``token_ids`` are those that the text was made from; the token that ended it stands apart."""

    text: str
    token_ids: list[int]
    stop_token_id: int | None = None
    finish_reason: FinishReason
    prompt_tokens: int


class StreamChunk(_Wire):
    """A piece of an answer as it grows: text, or, as the last one, how it ended."""

    delta: str = ""
    finish_reason: FinishReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: list[TokenLogprob] = Field(default_factory=list)


class Answered(_Wire):
    """A whole answer, as a person reads it. ``completion_tokens`` counts the token that ended it, too."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    logprobs: list[TokenLogprob] = Field(default_factory=list)

    @classmethod
    def of(cls, chunks: Sequence[StreamChunk]) -> Answered:
        """What the pieces of a stream make together."""
        last = chunks[-1]
        return cls(
            text="".join(chunk.delta for chunk in chunks),
            finish_reason=last.finish_reason or "length",
            prompt_tokens=last.prompt_tokens,
            completion_tokens=last.completion_tokens,
            logprobs=[one for chunk in chunks for one in chunk.logprobs],
        )


class ScoreRow(_Wire):
    """A conversation (loss on what the assistant says) or token ids with their labels (-100 carries no loss)."""

    messages: list[Message] | None = None
    tools: Tools = None
    input_ids: list[int] | None = None
    labels: list[int] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> ScoreRow:
        ids = self.input_ids is not None and self.labels is not None and len(self.input_ids) == len(self.labels)
        if (self.messages is not None) == ids:
            raise ValueError("give either messages, or input_ids with as many labels")
        return self


class RowScore(_Wire):
    """Teacher-forced loss of one row: the sum over its trained tokens, in nats."""

    loss_sum: float
    trained_tokens: int
    tokens: int


class LogprobSequence(_Wire):
    """Token ids; asked for are the distributions that predict the tokens from index ``start`` (at least 1) on."""

    token_ids: list[int] = Field(min_length=2)
    start: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _inside(self) -> LogprobSequence:
        if self.start >= len(self.token_ids):
            raise ValueError("start must lie inside the sequence")
        return self


class PromptCount(_Wire):
    """How long a prompt is. ``opens_reasoning``: its end has begun the block in which the model thinks aloud."""

    prompt_tokens: int
    opens_reasoning: bool = False
    is_exact: bool = True

    @classmethod
    def of(cls, prompt: str, tokens: int) -> PromptCount:
        """The count of a rendered prompt."""
        return cls(prompt_tokens=tokens, opens_reasoning=prompt.rstrip().endswith("<think>"))


class CountBody(_Wire):
    """Body of ``/count``: the conversation, with the prompt for an answer."""

    messages: list[Message]


class RenderBody(_Wire):
    """Body of ``/render``."""

    messages: list[Message]
    add_generation_prompt: bool = True
    tools: Tools = None


class GenerateBody(_Wire):
    """Body of ``/generate``. ``adapter`` is the folder of the adapter that is on; without one the base answers."""

    requests: list[GenerateRequest] = Field(min_length=1)
    adapter: str | None = None


class ChatBody(_Wire):
    """Body of ``/chat``, which streams, and of ``/answer``, which does not."""

    request: GenerateRequest
    adapter: str | None = None


class ScoreBody(_Wire):
    """Body of ``/score``."""

    rows: list[ScoreRow] = Field(min_length=1)
    adapter: str | None = None


class LogprobsBody(_Wire):
    """Body of ``/logprobs``; with ``top`` the answer has the ids of the likeliest tokens beside their log-probabilities."""

    sequences: list[LogprobSequence] = Field(min_length=1)
    top: int | None = Field(None, ge=1)
    adapter: str | None = None


class EmbedBody(_Wire):
    """Body of ``/embed``: texts, or token ids as the model reads them.

    The answer is packed: float32 vectors of length one (inputs × width), and an int64 count of tokens for each input.
    """

    inputs: list[str | list[int]] = Field(min_length=1)
    adapter: str | None = None


class TokenizeBody(_Wire):
    """Body of ``/tokenize``; special tokens that are written out in the text are recognised, none is added."""

    text: str


class ChildHealth(_Wire):
    """Answer of ``/health``."""

    backend: str
    device: str
    dtype: str
    vocab_size: int
    context_length: int
    active: int
    waiting: int
    memory_bytes: int
    end_token_ids: list[int] = Field(default_factory=list)
    """Tokens that the model's files name as the end of an answer; none where that is not known."""


def pack_arrays(arrays: list[np.ndarray[Any, Any]]) -> bytes:
    """Arrays as one body: a length, a JSON header with types and shapes, then the bytes of each (little endian)."""
    header = json.dumps([{"dtype": a.dtype.str, "shape": list(a.shape)} for a in arrays]).encode()
    return b"".join([struct.pack("<Q", len(header)), header, *(a.tobytes() for a in arrays)])


def unpack_arrays(body: bytes) -> list[np.ndarray[Any, Any]]:
    """The arrays of ``pack_arrays``."""
    import numpy as np  # only those who ask for distributions pay for it

    (header_size,) = struct.unpack_from("<Q", body)
    offset = 8 + header_size
    arrays: list[np.ndarray[Any, Any]] = []
    for entry in json.loads(body[8:offset]):
        kind = np.dtype(entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        arrays.append(np.frombuffer(body, kind, count, offset).reshape(entry["shape"]))
        offset += count * kind.itemsize
    return arrays
