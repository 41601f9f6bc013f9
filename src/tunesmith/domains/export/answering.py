"""Artefacts as somebody to ask: a GGUF file, a folder, a Modelfile's model, an adapter on its base, what is in a zip."""

from __future__ import annotations

import contextlib
import shutil
import zipfile
import zlib
from collections.abc import AsyncIterator, Sequence
from lzma import LZMAError
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from tunesmith.domains.export.certificate import Answering
from tunesmith.domains.export.errors import ArtefactUnknown, ZipDamaged
from tunesmith.domains.export.formats import recognise
from tunesmith.domains.export.prompts import Messages
from tunesmith.domains.export.schemas import ExportOutput
from tunesmith.domains.models import read_weights_header
from tunesmith.domains.runtime import GenerateRequest, Generation, LogprobSequence, RuntimeHandle, RuntimeService
from tunesmith.kit.paths import OutsideRoot, resolve_under
from tunesmith.ports.serving import Servable
from tunesmith.text.errors import ModelfileError
from tunesmith.text.folder import special_tokens
from tunesmith.text.modelfile import Modelfile, parse_modelfile
from tunesmith.wire.gguf_keys import NotGguf, read_head

if TYPE_CHECKING:
    from tunesmith.domains.export.certificate import Array

LARGEST_MODELFILE_BYTES = 2**20
LEAST_UNPACKED = 2**30
"""A zip may unpack to so much, however small it is."""


@contextlib.asynccontextmanager
async def open_artefact(
    runtime: RuntimeService, path: Path, output: ExportOutput, *, base: Path, tokenizer: Path
) -> AsyncIterator[Answering]:
    """Somebody to ask, loaded for as long as the block lasts and unloaded after it.

    ``base`` is what an adapter is put on, ``tokenizer`` the folder of the source's texts. Raises what the runtime raises.
    """
    file: Modelfile | None = None
    backend = None
    servable = Servable(path.name, path, None, path if path.is_dir() else None)
    if output.format == "ollama":
        file = await to_thread.run_sync(read_modelfile, path)
        weights = _beside(path, file.model)
        servable = Servable(weights.name, weights)
    elif output.format == "adapter":
        servable = Servable(path.name, base, path, base)
    elif output.format in ("onnx", "mlx"):
        backend = output.format
    elif output.format == "gguf":
        backend = "llamacpp"  # also where its name does not say so
    if servable.base_path.is_file():
        await to_thread.run_sync(_check_head, servable.base_path)
    if (
        servable.adapter_path is not None
    ):  # it is loaded with the first question, where a damaged one would only be silent
        await to_thread.run_sync(_check_weights, servable.adapter_path)
    try:
        async with runtime.session(servable, backend=backend) as handle:
            yield OllamaModel(handle, file, servable.base_path, tokenizer) if file else handle
    finally:
        if servable.base_path != base or servable.adapter_path:  # the file may be another one the next time
            await runtime.unload(servable, backend=backend)


class OllamaModel:
    """A GGUF file with a Modelfile before it: Ollama renders TEMPLATE, and stops at every ``stop``."""

    def __init__(self, handle: RuntimeHandle, file: Modelfile, weights: Path, tokenizer: Path) -> None:
        self._handle = handle
        self._file = file
        self._beginning = special_tokens(tokenizer).get("bos_token", "") if _adds_beginning(weights) else ""

    async def render(self, messages: Messages, add_generation_prompt: bool = True) -> str:
        """The prompt, the beginning-of-text token included that Ollama's tokenizer adds."""
        return self._beginning + self._file.render(messages)

    async def end_token_ids(self) -> list[int]:
        """The ends that the file names."""
        return await self._handle.end_token_ids()

    async def tokenize(self, text: str) -> list[int]:
        """Token ids, by the file's tokenizer."""
        return await self._handle.tokenize(text)

    async def generate(self, requests: Sequence[GenerateRequest]) -> list[Generation]:
        """Continue prompts, with the Modelfile's stops."""
        ready = []
        for request in requests:
            changed = {"stop": [*request.stop, *self._file.stops]}
            if request.messages is not None:
                changed |= {"messages": None, "prompt": await self.render(request.messages)}  # type: ignore[dict-item]
            ready.append(request.model_copy(update=changed))
        return await self._handle.generate(ready)

    async def next_token_logprobs(self, sequences: Sequence[LogprobSequence], top: int | None = None) -> list[Array]:
        """Distributions along sequences."""
        return await self._handle.next_token_logprobs(sequences, top)


def read_modelfile(folder: Path) -> Modelfile:
    """The folder's Modelfile; raises ModelfileError."""
    file = folder / "Modelfile"
    if file.stat().st_size > LARGEST_MODELFILE_BYTES:
        raise ModelfileError(f"The Modelfile is larger than {LARGEST_MODELFILE_BYTES} bytes.")
    try:
        return parse_modelfile(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ModelfileError(f"The Modelfile is not text ({error}).") from error


def _beside(folder: Path, name: str) -> Path:
    try:
        file = resolve_under(folder, name.removeprefix("./"))
    except OutsideRoot as error:
        raise ModelfileError(f"FROM {name[:100]} does not lie in the folder of the Modelfile.") from error
    if not file.is_file():
        raise ModelfileError(f"FROM names {name[:100]}, which is not there.")
    return file


def _check_head(weights: Path) -> None:
    """Raise ArtefactUnknown where a GGUF file ends inside its own head: llama.cpp would only die of it."""
    try:
        with weights.open("rb") as file:
            read_head(file)
    except NotGguf as error:
        raise ArtefactUnknown(f"{weights.name} is not a usable GGUF file: {error}.") from error


def _adds_beginning(weights: Path) -> bool:
    try:
        with weights.open("rb") as file:
            return bool(read_head(file).values.get("tokenizer.ggml.add_bos_token", False))
    except (NotGguf, OSError):
        return False


def unpack(path: Path, target: Path, method: str | None) -> tuple[Path, ExportOutput]:
    """Unpack a portable zip below ``target``; answers the artefact that is in it. Raises ZipDamaged, ArtefactUnknown."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
            if total > shutil.disk_usage(target).free or total > max(LEAST_UNPACKED, 100 * path.stat().st_size):
                raise ZipDamaged(f"{path.name} would unpack to {total} bytes.")
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                place = resolve_under(target, entry.filename)
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, place.open("wb") as file:
                    shutil.copyfileobj(source, file, 8 * 2**20)
    except OutsideRoot as error:
        raise ZipDamaged(f"{path.name} holds a file that leads out of it.") from error
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        LZMAError,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise ZipDamaged(f"{path.name} is no whole zip ({error}).") from error
    for folder in [target, *sorted(f for f in target.rglob("*") if f.is_dir())]:
        try:
            return recognise(folder, method)
        except ArtefactUnknown:
            continue
    raise ArtefactUnknown(f"{path.name} holds no model.")


def _check_weights(folder: Path) -> None:
    """Raise ModelInvalid where a file of weights is not whole."""
    for file in sorted(folder.glob("*.safetensors")):
        read_weights_header(file)
