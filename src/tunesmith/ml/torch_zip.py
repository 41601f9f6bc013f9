"""Read tensors out of a file that ``torch.save`` wrote, without running it: no unpickler, no torch, nothing is imported or called.

Such a file is an uncompressed ZIP: ``data.pkl`` says which tensors there are, ``data/N`` holds their numbers. ``data.pkl`` is a
program for the pickle machine; here its steps are only *named* (``pickletools.genops``) and a handful of them are followed by
hand: build dictionaries, lists and tuples of plain values, and note tensors. Any other step, and any name but those of tensors
and their storages, is refused. What a hostile file can do is make this raise.
"""

from __future__ import annotations

import mmap
import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

PROGRAM_LIMIT_BYTES = 64 * 2**20
STEP_LIMIT = 5_000_000
LOCAL_HEADER_BYTES = 30
STORAGES = {
    "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2), "DoubleStorage": ("F64", 8),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}  # fmt: skip
TENSOR, PARAMETER, ORDERED = "_rebuild_tensor_v2", "_rebuild_parameter", "OrderedDict"
KNOWN = {("torch._utils", TENSOR), ("torch._utils", PARAMETER), ("collections", ORDERED)}
KNOWN |= {("torch", name) for name in STORAGES}
PLAIN = {
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
}  # fmt: skip


class Refused(ValueError):
    """The file asks for something that is no tensor, or is damaged."""


@dataclass(frozen=True)
class Name:
    """A name in the program; it stands for nothing but itself."""

    module: str
    name: str


@dataclass(frozen=True)
class StoredNumbers:
    """A storage: a member of the archive."""

    key: str
    dtype: str
    item_bytes: int
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor: a window on a storage."""

    storage: StoredNumbers
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of its numbers, packed."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.storage.item_bytes


@dataclass
class Machine:
    """Follows the few steps that build a dictionary of tensors."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, program: bytes) -> Any:
        """What the program builds."""
        steps = 0
        try:
            for step, argument, _ in pickletools.genops(program):
                steps += 1
                if steps > STEP_LIMIT:
                    raise Refused(f"its program has more than {STEP_LIMIT} steps")
                if step.name == "STOP":
                    return self.stack.pop()
                self.follow(step.name, argument)
        except (IndexError, KeyError, TypeError, RecursionError) as error:
            raise Refused(f"its program does not add up ({type(error).__name__})") from None
        raise Refused("its program has no end")

    def follow(self, name: str, argument: Any) -> None:
        """One step."""
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            return
        if name in PLAIN:
            stack.append(argument)
        elif name in ("NEWTRUE", "NEWFALSE", "NONE"):
            stack.append({"NEWTRUE": True, "NEWFALSE": False, "NONE": None}[name])
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[name]())
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "TUPLE":
            stack.append(tuple(self.marked()))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self.named(name, argument)
        else:
            self.build(name)

    def named(self, step: str, argument: Any) -> None:
        """A name: only those of tensors are let through."""
        if step == "GLOBAL":
            module, _, attribute = str(argument).partition(" ")
        else:
            attribute, module = str(self.stack.pop()), str(self.stack.pop())
        if (module, attribute) not in KNOWN:
            raise Refused(f"it asks for {module[:80]}.{attribute[:80]}, which is no tensor")
        self.stack.append(Name(module, attribute))

    def build(self, name: str) -> None:
        """Steps that put together what lies on the stack."""
        stack = self.stack
        if name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            self.dictionary(stack[-1])[key] = value
        elif name == "SETITEMS":
            items = self.marked()
            self.dictionary(stack[-1]).update(zip(items[::2], items[1::2], strict=True))
        elif name == "APPEND":
            value = stack.pop()
            stack[-1].append(value)
        elif name == "APPENDS":
            items = self.marked()
            stack[-1].extend(items)
        elif name == "BINPERSID":
            stack.append(storage_of(stack.pop()))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(made(function, arguments))
        elif name == "BUILD":
            stack.pop()  # attributes of a state dictionary (`_metadata`): versions of modules, of no use here
            self.dictionary(stack[-1])
        else:
            raise Refused(f"its program has the step {name}, which no tensor needs")

    def dictionary(self, value: Any) -> dict[Any, Any]:
        """``value``, if it is a dictionary."""
        if not isinstance(value, dict):
            raise Refused("its program fills something that is no dictionary")
        return value

    def marked(self) -> list[Any]:
        """What lies above the last mark."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items


def storage_of(said: Any) -> StoredNumbers:
    """The storage that a persistent id names: ("storage", type, key, device, count)."""
    if not isinstance(said, tuple) or len(said) != 5 or said[0] != "storage" or not isinstance(said[1], Name):
        raise Refused("it names a storage in a way that is not known")
    if said[1].name not in STORAGES or not isinstance(said[2], str) or not is_count(said[4]):
        raise Refused("it names a storage in a way that is not known")
    dtype, item_bytes = STORAGES[said[1].name]
    return StoredNumbers(said[2], dtype, item_bytes, said[4])


def made(function: Any, arguments: Any) -> Any:
    """What a call *would* make; nothing is called."""
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise Refused("it calls something that has no name")
    if function.name == ORDERED and not arguments:
        return {}
    if function.name == PARAMETER and arguments and isinstance(arguments[0], StoredTensor):
        return arguments[0]
    if function.name == TENSOR and len(arguments) >= 4 and isinstance(arguments[0], StoredNumbers):
        storage, offset, shape, strides = arguments[:4]
        if is_count(offset) and is_counts(shape) and is_counts(strides) and len(shape) == len(strides):
            last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
            if 0 in shape or last < storage.count:
                return StoredTensor(storage, offset, tuple(shape), tuple(strides))
        raise Refused("a tensor reaches beyond its storage")
    raise Refused(f"it calls {function.name} in a way that makes no tensor")


def is_count(value: Any) -> bool:
    """Whether it is a whole number that can count something."""
    return type(value) is int and 0 <= value < 2**48


def is_counts(value: Any) -> bool:
    """Whether it is a short tuple of such numbers."""
    return isinstance(value, tuple) and len(value) <= 16 and all(is_count(number) for number in value)


class TorchZip:
    """The tensors of one file, read in place. Raises ``Refused``."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            with zipfile.ZipFile(self._file) as archive:
                self._members = {entry.filename: entry for entry in archive.infolist()}
        except (zipfile.BadZipFile, ValueError):
            self._file.close()
            raise Refused("it is no ZIP: very old files must first be saved again by a newer torch") from None
        programs = [name for name in self._members if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(programs) != 1:
            raise Refused("it has no data.pkl")
        self._root = programs[0].removesuffix("data.pkl")
        order = self._members.get(f"{self._root}byteorder")
        if order is not None and bytes(self._bytes(order)) != b"little":
            raise Refused("its numbers are in the other byte order")
        program = self._members[programs[0]]
        if program.file_size > PROGRAM_LIMIT_BYTES:
            raise Refused(f"its program is larger than {PROGRAM_LIMIT_BYTES} bytes")
        self.tensors = dict(named_tensors(Machine().run(bytes(self._bytes(program)))))
        for name, tensor in self.tensors.items():
            self._check(name, tensor)

    def numbers(self, tensor: StoredTensor) -> bytes:
        """A tensor's numbers, packed, row by row."""
        raw = self._bytes(self._members[f"{self._root}data/{tensor.storage.key}"])
        item = tensor.storage.item_bytes
        flat = np.frombuffer(raw, dtype=f"V{item}", count=tensor.storage.count)
        if 0 in tensor.shape:
            return b""
        strides = tuple(step * item for step in tensor.strides)
        view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides, writeable=False)
        return np.ascontiguousarray(view).tobytes()

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        self._file.close()

    def __enter__(self) -> TorchZip:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _check(self, name: str, tensor: StoredTensor) -> None:
        entry = self._members.get(f"{self._root}data/{tensor.storage.key}")
        if entry is None or entry.file_size != tensor.storage.count * tensor.storage.item_bytes:
            raise Refused(f"the numbers of {name[:100]} are not all there")
        if tensor.size_bytes > entry.file_size:
            raise Refused(f"{name[:100]} is larger than its numbers")

    def _bytes(self, entry: zipfile.ZipInfo) -> memoryview:
        if entry.compress_type != zipfile.ZIP_STORED:
            raise Refused("it is compressed, as torch writes none")
        start = entry.header_offset
        header = self._map[start : start + LOCAL_HEADER_BYTES]
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        begin = start + LOCAL_HEADER_BYTES + names
        if header[:4] != b"PK\x03\x04" or begin + entry.file_size > len(self._map):
            raise Refused("it is cut short")
        return memoryview(self._map[begin : begin + entry.file_size])


def named_tensors(built: Any) -> Iterator[tuple[str, StoredTensor]]:
    """Names and tensors of a state dictionary, alone or under `state_dict` or `model`."""
    if isinstance(built, dict) and not any(isinstance(value, StoredTensor) for value in built.values()):
        inner = [built[key] for key in ("state_dict", "model") if isinstance(built.get(key), dict)]
        built = inner[0] if inner else built
    if not isinstance(built, dict) or not built:
        raise Refused("it holds no dictionary of tensors")
    for name, value in built.items():
        if isinstance(name, str) and isinstance(value, StoredTensor):
            yield name, value
        elif not isinstance(value, int | float | str | bool | None):
            raise Refused(f"{str(name)[:100]} is no tensor")
