"""Read the frame of a GGUF file and check that every part lies where it says, without loading a single weight."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.kit.errors import InvalidInput
from tunesmith.wire.gguf_keys import NotGguf
from tunesmith.wire.gguf_structure import read_frame, size_fault


class GgufDamaged(InvalidInput):
    """The file is cut short or is not GGUF."""

    code, title = "gguf-damaged", "The GGUF file is damaged"
    hint = "Export it again."


@dataclass(frozen=True)
class Structure:
    """What a file says about itself: scalars and strings by key (arrays as their length), and its tensors."""

    values: dict[str, object]
    tensors: dict[str, tuple[str, tuple[int, ...], int]]
    """(type, shape, first byte) by name."""


def check_structure(path: Path) -> Structure:
    """Read head and tensor table; every tensor must lie within the file, and the file must end with the last one."""
    try:
        frame = read_frame(path)
    except NotGguf as error:
        raise GgufDamaged(f"{path.name} cannot be read: {error}.") from error
    if fault := size_fault(frame, path.stat().st_size):
        raise GgufDamaged(f"{path.name}: {fault}.")
    tensors = {tensor.name: (tensor.type, tensor.shape, tensor.first_byte) for tensor in frame.tensors}
    return Structure(frame.head.values, tensors)
