"""Is a GGUF file sound? Its frame is read; then it is loaded and generates, which only llama.cpp itself can tell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.export.errors import ArtefactNotFound
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.models import PathNotAllowed
from tunesmith.domains.runtime import GenerateRequest, RuntimeService, Servable
from tunesmith.kit.errors import TunesmithError
from tunesmith.settings import Settings
from tunesmith.wire.gguf_keys import NotGguf
from tunesmith.wire.gguf_methods import BY_FILE_TYPE
from tunesmith.wire.gguf_structure import Frame, read_frame, size_fault, table_fault

KIND = "validate_gguf"
NEEDED = ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.tokens")
NUMBERS = ("context_length", "embedding_length", "block_count")
ANSWER_TOKENS = 16


class GgufCheck(BaseModel):
    """One check of a file."""

    name: str = Field(description="`header`, `metadata`, `tensors`, `truncation`, `load` or `generate`.")
    passed: bool = Field(description="Whether it holds.")
    message: str = Field(description="What was found.")


class GgufValidation(BaseModel):
    """Whether a GGUF file is sound."""

    valid: bool = Field(description="Whether every check holds.")
    file_path: str = Field(description="The file on the server's machine.")
    file_name: str = Field(description="Its name.")
    size_bytes: int = Field(description="Its size in bytes.")
    checks: list[GgufCheck] = Field(
        description="The checks, in the order in which they were made; none after a failed one."
    )
    errors: list[str] = Field(description="What was wrong, in sentences.")
    architecture: str | None = Field(None, description="llama.cpp's name of the architecture.")
    method: str | None = Field(None, description="GGUF method that the file says it was written with.")
    tensor_count: int | None = Field(None, description="Number of tensors.")
    parameter_count: int | None = Field(None, description="Numbers in all tensors.")
    tensor_types: dict[str, int] = Field(default_factory=dict, description="How many tensors have each block format.")
    metadata: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of the file: scalars, texts (the first 200 letters) and lengths of lists.",
    )
    generated_text: str | None = Field(None, description="What it generated.")


class ValidateGgufSpec(BaseModel):
    """What a `validate_gguf` job does."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(description="The file.")
    prompt: str = Field("Hello", description="What it is given to continue.")


def get_file(reference: str, settings: Settings) -> Path:
    """The file that ``reference`` names, absolute or below an allowed root; raises PathNotAllowed, ArtefactNotFound."""
    path = allowed_path(reference, settings)
    if not os.path.isfile(path):  # unlike Path's, it answers no where a name is too long
        raise ArtefactNotFound(f"There is no file {reference[:200]!r}.", hint="Give a path of the server's machine.")
    return path


def allowed_path(reference: str, settings: Settings) -> Path:
    """A path that may be read: as it is, or below the first allowed root that has it. Raises PathNotAllowed."""
    roots = [root.expanduser().resolve() for root in settings.allowed_model_roots]
    shown = reference[:200]
    try:
        given = Path(reference).expanduser()
        candidates = [given] if given.is_absolute() else [root / given for root in (settings.store_dir, *roots)]
        found = [candidate.resolve() for candidate in candidates]
    except (OSError, RuntimeError, ValueError) as error:
        raise ArtefactNotFound(f"{shown!r} is not a usable path.") from error
    allowed = [path for path in found if any(root in path.parents for root in roots)]
    if not allowed:
        raise PathNotAllowed(f"{shown!r} is outside the folders that TUNESMITH_MODELS__ALLOWED_ROOTS allows.")
    return next((path for path in allowed if os.path.exists(path)), allowed[0])  # so does this


def check_frame(path: Path) -> GgufValidation:
    """Header, metadata, tensors and truncation; nothing is loaded."""
    size = path.stat().st_size
    found = GgufValidation(valid=False, file_path=str(path), file_name=path.name, size_bytes=size, checks=[], errors=[])
    try:
        frame = read_frame(path)
    except (NotGguf, OSError) as error:
        _note(found, "header", str(error), "")
        return found
    _note(found, "header", None, f"GGUF version 3 with {len(frame.head.values)} keys")
    _describe(found, frame)
    _note(found, "metadata", _metadata_fault(frame), "what llama.cpp needs is there")
    _note(found, "tensors", table_fault(frame), f"{len(frame.tensors)} tensors, each in its place")
    _note(found, "truncation", size_fault(frame, size), "the file ends with its last tensor")
    return found


def _describe(found: GgufValidation, frame: Frame) -> None:
    values = frame.head.values
    kind = values.get("general.file_type")
    found.architecture = str(values["general.architecture"]) if "general.architecture" in values else None
    found.method = BY_FILE_TYPE.get(kind) if isinstance(kind, int) else None
    found.tensor_count, found.parameter_count = len(frame.tensors), frame.parameters
    for tensor in frame.tensors:
        found.tensor_types[tensor.type] = found.tensor_types.get(tensor.type, 0) + 1
    found.metadata = {
        key: value[:200] if isinstance(value, str) else value if value == value else None  # JSON has no NaN
        for key, value in values.items()
    }


def _metadata_fault(frame: Frame) -> str | None:
    values = frame.head.values
    name = values.get("general.architecture")
    missing = [key for key in (*NEEDED, *(f"{name}.{part}" for part in NUMBERS)) if key not in values]
    return f"the keys {', '.join(missing)} are missing" if missing else None


def _note(found: GgufValidation, name: str, fault: str | None, fine: str) -> None:
    found.checks.append(GgufCheck(name=name, passed=fault is None, message=fault or fine))
    if fault is not None:
        found.errors.append(f"{name}: {fault}.")
    found.valid = not found.errors


class GgufValidator:
    """Runs `validate_gguf` jobs."""

    def __init__(self, *, runtime: RuntimeService) -> None:
        self._runtime = runtime

    async def run(self, context: JobContext) -> GgufValidation:
        """Read the frame; where it holds, load the file and let it generate."""
        spec = cast(ValidateGgufSpec, context.spec)
        path = Path(spec.path)
        await context.progress(0, None, "reading the file's frame")
        found = await to_thread.run_sync(check_frame, path)
        if not found.valid:
            return found
        await context.progress(0, None, "loading the file")
        step = "load"
        try:
            async with self._runtime.session(Servable(path.name, path)) as model:
                health = await model.health()
                _note(found, "load", None, f"llama.cpp holds it with a context of {health.context_length} tokens")
                step = "generate"
                request = GenerateRequest(
                    prompt=spec.prompt, is_whole=True, max_new_tokens=ANSWER_TOKENS, temperature=0.0
                )
                [answer] = await model.generate([request])
        except TunesmithError as error:
            _note(found, step, error.message.rstrip("."), "")
            return found
        fault = None if answer.token_ids or answer.stop_token_id is not None else "it generated nothing"
        _note(found, "generate", fault, f"{len(answer.token_ids)} tokens")
        found.generated_text = answer.text
        return found


def kinds(validator: GgufValidator) -> list[JobKind]:
    """The job kind of validations."""
    return [JobKind(name=KIND, spec=ValidateGgufSpec, result=GgufValidation, run=validator.run)]
