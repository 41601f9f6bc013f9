"""Faults of GGUF files that are told without loading them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from gguf import GGUFWriter

from tunesmith.domains.export.gguf_checking import check_frame


def write(file: Path, *, keys: bool = True) -> Path:
    """A small file with two tensors, with all that llama.cpp asks for or without."""
    writer = GGUFWriter(file, "llama")
    if keys:
        writer.add_file_type(1)
        writer.add_context_length(8)
        writer.add_embedding_length(4)
        writer.add_block_count(1)
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(["a", "b"])
        writer.add_float32("llama.rope.freq_base", float("nan"))
    writer.add_tensor("token_embd.weight", np.ones((2, 4), np.float32))
    writer.add_tensor("output_norm.weight", np.ones(4, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def cut(data: bytes) -> bytes:
    return data[:-40]


def longer(data: bytes) -> bytes:
    return data + bytes(100)


def unknown_format(data: bytes) -> bytes:
    at = data.index(b"output_norm.weight") + 18 + 4 + 8
    return data[:at] + struct.pack("<I", 99) + data[at + 4 :]


def inside(data: bytes) -> bytes:
    at = data.index(b"output_norm.weight") + 18 + 4 + 8 + 4
    return data[:at] + struct.pack("<Q", 0) + data[at + 8 :]


def other_version(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", 9) + data[8:]


def no_magic(data: bytes) -> bytes:
    return b"GGML" + data[4:]


@pytest.mark.parametrize(
    ("damage", "check", "word"),
    [
        (cut, "truncation", "should end near"),
        (longer, "truncation", "should end near"),
        (unknown_format, "header", "unknown format 99"),
        (inside, "tensors", "begins inside"),
        (other_version, "header", "version 9"),
        (no_magic, "header", "does not begin with GGUF"),
    ],
)
def test_each_fault_is_told_by_the_check_that_finds_it(
    tmp_path: Path, damage: Callable[[bytes], bytes], check: str, word: str
) -> None:
    file = write(tmp_path / "model.gguf")
    file.write_bytes(damage(file.read_bytes()))
    found = check_frame(file)
    assert not found.valid
    assert check in [entry.name for entry in found.checks if not entry.passed]
    assert word in " ".join(found.errors)


def test_a_sound_file_is_described(tmp_path: Path) -> None:
    found = check_frame(write(tmp_path / "model.gguf"))
    assert found.valid, found.errors
    assert (found.architecture, found.method, found.tensor_count, found.parameter_count) == ("llama", "F16", 2, 12)
    assert found.tensor_types == {"F32": 2}
    assert found.metadata["llama.rope.freq_base"] is None
    found.model_dump_json()


def test_what_llama_cpp_needs_is_missed_by_name(tmp_path: Path) -> None:
    found = check_frame(write(tmp_path / "model.gguf", keys=False))
    assert "tokenizer.ggml.tokens" in " ".join(found.errors)


@pytest.mark.parametrize("name", ["not-there.gguf", "0" * 4096, "0" * 300, "a\x00b"])
async def test_a_file_that_cannot_be_is_refused(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/gguf/validate", json={"file_path": name})
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["hint"]
