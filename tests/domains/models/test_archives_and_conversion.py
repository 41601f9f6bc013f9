"""Archives that arrive, honest and hostile; pickled weights that become safetensors without being run."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from safetensors.numpy import load_file

from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.domains.models import PickleWeights
from tunesmith.domains.models.archives.unpacking import unpack
from tunesmith.domains.models.errors import ArchiveInvalid, ArchiveTooLarge, ArchiveUnsafe
from tunesmith.kit.errors import OutOfSpace
from tunesmith.settings import ModelSettings

LIMITS = ModelSettings(min_free_disk_bytes=0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("source") / "model")


def tar_of(path: Path, mode: str, model: Path, top: str = "deep/model") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(model, top)
    return path


def zip_of(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.zst"])
def test_a_model_comes_out_of_every_kind(kind: str, model: Path, tmp_path: Path) -> None:
    path = tmp_path / f"model.{kind}"
    if kind == "zip":
        zip_of(path, *[(f"model/{f.name}", f.read_bytes()) for f in model.iterdir()], ("__MACOSX/._x", b"x"))
    elif kind == "tar.zst":
        plain = tar_of(tmp_path / "model.tar", "w", model)
        path.write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
    else:
        tar_of(path, "w:gz" if kind == "tar.gz" else "w", model)
    home = unpack(path, tmp_path / "out", LIMITS)
    assert {f.name: f.read_bytes() for f in home.iterdir()} == {f.name: f.read_bytes() for f in model.iterdir()}


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


def tar_with(path: Path, **facts: Any) -> Path:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(facts.pop("name", "model/x"))
        for name, value in facts.items():
            setattr(entry, name, value)
        archive.addfile(entry, io.BytesIO(b""))
    return path


HOSTILE: dict[str, tuple[Callable[[Path], Path], type[Exception]]] = {
    "slip": (lambda p: zip_of(p, ("../../etc/x", b"x")), ArchiveUnsafe),
    "absolute": (lambda p: zip_of(p, ("/etc/x", b"x")), ArchiveUnsafe),
    "drive": (lambda p: zip_of(p, ("C:x", b"x")), ArchiveUnsafe),
    "zip link": (lambda p: zip_of(p, (link("model/config.json"), b"/etc/passwd")), ArchiveUnsafe),
    "tar link": (lambda p: tar_with(p, type=tarfile.SYMTYPE, linkname="/etc/passwd"), ArchiveUnsafe),
    "tar hard link": (lambda p: tar_with(p, type=tarfile.LNKTYPE, linkname="/etc/passwd"), ArchiveUnsafe),
    "device": (lambda p: tar_with(p, type=tarfile.CHRTYPE, devmajor=1, devminor=5), ArchiveUnsafe),
    "tar slip": (lambda p: tar_with(p, name="a/../../x"), ArchiveUnsafe),
    "twice": (lambda p: zip_of(p, ("m/config.json", b"{}"), ("m/CONFIG.json", b"{}")), ArchiveUnsafe),
    "no model": (lambda p: zip_of(p, ("readme.txt", b"x")), ArchiveInvalid),
    "pickles": (lambda p: zip_of(p, ("m/config.json", b"{}"), ("m/pytorch_model.bin", b"x")), PickleWeights),
    "no archive": (lambda p: (p.write_bytes(b"hello" * 1000), p)[1], ArchiveInvalid),
    "cut short": (
        lambda p: (p.write_bytes(zip_of(p, ("m/config.json", b"{}" * 9)).read_bytes()[:60]), p)[1],
        ArchiveInvalid,
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_refused(what: str, tmp_path: Path) -> None:
    make, error = HOSTILE[what]
    with pytest.raises(error):
        unpack(make(tmp_path / "x.zip"), tmp_path / "out", LIMITS)
    assert not (tmp_path.parent / "etc").exists()


def test_limits_of_size_ratio_and_disk(tmp_path: Path) -> None:
    bomb = zip_of(tmp_path / "bomb.zip", ("m/config.json", b"{}"), ("m/model.safetensors", b"\0" * (70 << 20)))
    for limits, error in (
        (LIMITS, ArchiveTooLarge),  # the ratio
        (ModelSettings(min_free_disk_bytes=0, max_unpacked_bytes=1000), ArchiveTooLarge),
        (ModelSettings(min_free_disk_bytes=2**60), OutOfSpace),
    ):
        with pytest.raises(error):
            unpack(bomb, tmp_path / f"out-{limits.max_unpacked_bytes}-{limits.min_free_disk_bytes}", limits)


SAVE = """
import json, sys, torch
from collections import OrderedDict
from pathlib import Path
from safetensors.torch import load_file
source, target = Path(sys.argv[1]), Path(sys.argv[2])
tensors = load_file(source / "model.safetensors")
tensors["odd.bf16"] = torch.arange(12, dtype=torch.bfloat16).reshape(3, 4).t()
tensors["odd.window"] = torch.arange(20.0)[5:15:2]
tensors["odd.flag"] = torch.tensor(True)
state = OrderedDict((name, torch.nn.Parameter(value) if value.is_floating_point() else value) for name, value in tensors.items())
names = sorted(state)
shards = {"pytorch_model-00001-of-00002.bin": names[:5], "pytorch_model-00002-of-00002.bin": names[5:]}
for file, inside in shards.items():
    torch.save(OrderedDict((name, state[name]) for name in inside), target / file)
index = {"weight_map": {name: file for file, inside in shards.items() for name in inside}}
(target / "pytorch_model.bin.index.json").write_text(json.dumps(index))
"""


def converted(source: Path, folder: Path) -> tuple[int, dict[str, Any]]:
    """Run the child as the worker does; its exit code and last word."""
    run = folder / "run"
    run.mkdir(parents=True)
    (run / "spec.json").write_text(
        json.dumps({"kind": "convert", "source": str(source), "folder": str(folder / "out")})
    )
    done = subprocess.run([sys.executable, "-m", "tunesmith.ml.convert", str(run)], capture_output=True, timeout=120)
    words = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return done.returncode, words[-1]


def test_what_torch_saved_becomes_safetensors(model: Path, tmp_path: Path) -> None:
    source = tmp_path / "pickled"
    source.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (source / name).write_bytes((model / name).read_bytes())
    subprocess.run([sys.executable, "-c", SAVE, str(model), str(source)], check=True)
    code, word = converted(source, tmp_path / "work")
    assert (code, word["type"]) == (0, "finished"), word
    out = tmp_path / "work" / "out"
    index = json.loads((out / "model.safetensors.index.json").read_text())["weight_map"]
    assert set(index.values()) == {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
    got: dict[str, Any] = {}
    for name in sorted(set(index.values())):
        got |= read_safetensors(out / name)
    for name, expected in load_file(model / "model.safetensors").items():
        assert got[name] == ("F32", list(expected.shape), expected.tobytes()), name
    bf16 = b"".join(struct.pack("<f", float(row * 4 + column))[2:] for column in range(4) for row in range(3))
    assert got["odd.bf16"] == ("BF16", [4, 3], bf16)
    assert got["odd.window"] == ("F32", [5], struct.pack("<5f", 5, 7, 9, 11, 13))
    assert got["odd.flag"] == ("BOOL", [], b"\1")
    assert not list(out.glob("*.bin*"))


def read_safetensors(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8 : 8 + size]), raw[8 + size :]
    return {
        name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
        for name, entry in header.items()
        if name != "__metadata__"
    }


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("what", ["runs code", "persistent id", "cut short", "not a zip", "no program"])
def test_a_hostile_file_is_refused_and_not_run(what: str, tmp_path: Path) -> None:
    source, mark = tmp_path / "evil", tmp_path / "was-run"
    source.mkdir()
    (source / "config.json").write_text("{}")
    program = pickle.dumps({"a.weight": Evil(mark)})
    if what == "persistent id":
        program = b"\x80\x02X\x04\x00\x00\x00evilQ."
    elif what == "cut short":
        program = program[:-3]
    file = source / "pytorch_model.bin"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/other" if what == "no program" else "archive/data.pkl", program)
    if what == "not a zip":
        file.write_bytes(program)
    code, word = converted(source, tmp_path / "work")
    assert (code, word["type"], word["code"]) == (1, "failed", "pickle-refused")
    assert not mark.exists(), "the file was run"
    if what == "runs code":
        assert "mkdir" in word["message"]
