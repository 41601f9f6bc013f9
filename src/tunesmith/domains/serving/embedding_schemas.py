"""OpenAI's shape for texts as vectors."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.serving.errors import FieldUnsupported
from tunesmith.domains.serving.schemas import LONGEST_TEXT, refuse_unsupported

if TYPE_CHECKING:
    import numpy as np

MOST_INPUTS = 2048
"""What OpenAI's API takes at once."""
MOST_TOKENS = 2**20
InputText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
TokenIds = Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1, max_length=MOST_TOKENS)]


class EmbeddingRequest(BaseModel):
    """Texts to turn into vectors, or their token ids."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"model": "tunesmith/tiny", "input": ["배는 언제 출발하나요?", "요금표"]}]},
    )
    model: str = Field(min_length=1, max_length=1000, description="A name of GET /v1/models, or a folder.")
    input: (
        InputText
        | TokenIds
        | Annotated[list[InputText], Field(min_length=1, max_length=MOST_INPUTS)]
        | Annotated[list[TokenIds], Field(min_length=1, max_length=MOST_INPUTS)]
    ) = Field(description="A text, several, or the token ids of either; nothing is cut.")
    encoding_format: Literal["float", "base64"] | None = Field(
        None, description="`float` (default): lists of numbers; `base64`: little-endian float32."
    )
    dimensions: int | None = Field(None, ge=1, description="Refused: vectors have the width of their model.")

    @property
    def inputs(self) -> list[str | list[int]]:
        """What becomes a vector each."""
        if isinstance(self.input, str):
            return [self.input]
        if isinstance(self.input[0], int):
            return [self.input]
        return list(cast(list[str | list[int]], self.input))

    def refuse_unsupported(self) -> None:
        """Raise ``FieldUnsupported`` for a field that would be ignored."""
        refuse_unsupported(self.model_extra or {}, {}, [])
        if self.dimensions is not None:
            fault = {"location": "dimensions", "message": "not supported", "value": self.dimensions}
            raise FieldUnsupported(
                "The field 'dimensions' is not supported here: a vector has the width of its model.",
                hint="Leave it out; cut and normalise the vectors yourself if the model was trained for that.",
                errors=[fault],
            )


class Embedding(BaseModel):
    """One vector."""

    object: Literal["embedding"] = Field("embedding", description="Kind of the object.")
    index: int = Field(description="Number of the input.")
    embedding: list[float] | str = Field(description="The vector, of length one; base64 of float32 when asked for.")

    @classmethod
    def of(cls, index: int, vector: np.ndarray[Any, Any], encoding: str | None) -> Embedding:
        """One row (float32) in the encoding that was asked for."""
        if encoding == "base64":
            return cls(index=index, embedding=base64.b64encode(vector.astype("<f4").tobytes()).decode())
        return cls(index=index, embedding=vector.tolist())


class EmbeddingUsage(BaseModel):
    """Tokens that were read."""

    prompt_tokens: int = Field(description="Tokens of all inputs.")
    total_tokens: int = Field(description="The same.")


class EmbeddingList(BaseModel):
    """A vector for each input."""

    object: Literal["list"] = Field("list", description="Kind of the object.")
    data: list[Embedding] = Field(description="In the order of the inputs.")
    model: str = Field(description="Model that read them.")
    usage: EmbeddingUsage = Field(description="Counts of tokens.")
