"""Model folders: found by every form of name, looked through without torch, refused with a sentence when something is wrong."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.bootstrap import build
from tunesmith.db import Database, Unit
from tunesmith.domains.models import (
    ModelInvalid,
    ModelNotFound,
    ModelStore,
    PathNotAllowed,
    PickleWeights,
    RemoteCode,
    memory,
)
from tunesmith.kit.errors import InvalidInput
from tunesmith.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, data_dir: Path) -> Settings:
    return load_settings(
        data_dir=data_dir, models={"allowed_roots": [tmp_path], "hf_home": tmp_path / "hub-home"}, device="cpu"
    )


@pytest.fixture
def store(settings: Settings) -> ModelStore:
    return ModelStore(settings=settings)


@pytest.fixture
async def unit(settings: Settings) -> AsyncIterator[Unit]:
    services = build(settings)
    await services.start()
    database: Database = services.database
    async with database.write(await services.owner()) as open_unit:
        yield open_unit
    await services.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "models" / "tiny")


async def test_metadata_comes_from_the_files(store: ModelStore, folder: Path) -> None:
    found = await store.inspect(folder)
    assert found.architecture == "Qwen3ForCausalLM"
    tensors = json.loads(_header(folder / "model.safetensors")[1])
    numbers = sum(int(np.prod(t["shape"])) for name, t in tensors.items() if name != "__metadata__")
    assert found.num_parameters == found.trainable_parameters == numbers
    assert (found.dtype, found.context_length, found.vocab_size) == ("float32", 512, 260)
    assert found.chat_template
    assert found.size_bytes == (folder / "model.safetensors").stat().st_size
    assert found.loaded_at is None
    (folder / "chat_template.jinja").unlink()
    assert not (await store.inspect(folder)).chat_template


async def test_a_model_is_found_by_folder_name_and_hub_id(
    store: ModelStore, unit: Unit, folder: Path, tmp_path: Path
) -> None:
    by_path = await store.resolve(str(folder), unit=unit)
    relative = await store.resolve("./tiny", unit=unit, base_dir=folder.parent)
    assert by_path.path == relative.path == folder
    name = await store.remember(unit, by_path)
    assert (await store.resolve(name, unit=unit)).path == folder
    snapshot = tmp_path / "hub-home" / "hub" / "models--Owner--Small" / "snapshots" / "abc123"
    shutil.copytree(folder, snapshot)
    found = await store.resolve("Owner/Small", unit=unit)
    assert (found.path, found.metadata.revision) == (snapshot, "abc123")
    assert {m.model_id for m in await store.list_local(unit)} >= {name, "Owner/Small"}


async def test_two_folders_of_one_name_get_two_names(store: ModelStore, unit: Unit, tmp_path: Path) -> None:
    names = []
    for parent in ("a", "b", "a"):
        resolved = await store.resolve(str(write_tiny_model(tmp_path / parent / "모델")), unit=unit)
        names.append(await store.remember(unit, resolved))
    assert names[0] == names[2] != names[1]
    listed = {m.model_id: m.path for m in await store.list_local(unit)}
    assert listed[names[1]] == str(tmp_path / "b" / "모델")


@pytest.mark.parametrize("reference", ["/etc", "../../../../etc", "~root/.ssh", "/proc/self", "./../../.."])
async def test_a_path_outside_the_roots_is_refused_by_the_name_of_the_setting(
    store: ModelStore, unit: Unit, folder: Path, reference: str
) -> None:
    with pytest.raises(PathNotAllowed, match="TUNESMITH_MODELS__ALLOWED_ROOTS"):
        await store.resolve(reference, unit=unit, base_dir=folder)


async def test_a_link_that_leads_out_is_refused(store: ModelStore, unit: Unit, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/usr")
    with pytest.raises(PathNotAllowed):
        await store.resolve(str(tmp_path / "link"), unit=unit)


@pytest.mark.parametrize("reference", ["", "a/b/c", "..", "a b", "-x", "a\x00b", "owner/../x", "x" * 300, "모델"])
async def test_a_strange_name_is_refused(store: ModelStore, unit: Unit, reference: str) -> None:
    with pytest.raises((InvalidInput, PathNotAllowed)):
        await store.resolve(reference, unit=unit, base_dir=Path("/"))


@pytest.mark.parametrize("reference", ["/a\x00b", "./" + "x" * 5000])
async def test_an_unusable_path_is_a_sentence(store: ModelStore, unit: Unit, tmp_path: Path, reference: str) -> None:
    with pytest.raises((InvalidInput, PathNotAllowed)):
        await store.resolve(reference, unit=unit, base_dir=tmp_path)


async def test_what_is_not_here_is_not_found(store: ModelStore, unit: Unit, tmp_path: Path) -> None:
    for reference in ("Owner/Absent", str(tmp_path / "absent"), "absent"):
        with pytest.raises(ModelNotFound):
            await store.resolve(reference, unit=unit)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelNotFound, match="is a file"):
        await store.resolve(str(tmp_path / "file"), unit=unit)


async def test_pickle_weights_are_refused_with_the_way_to_convert_them(store: ModelStore, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(PickleWeights) as refused:
        await store.inspect(folder)
    assert "pytorch_model.bin" in refused.value.message
    assert "tunesmith models convert" in refused.value.hint
    assert refused.value.problem()["status"] == 422


async def test_models_with_their_own_code_are_refused(store: ModelStore, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "mine.Model"}}))
    with pytest.raises(RemoteCode):
        await store.inspect(folder)


def _header(path: Path) -> tuple[int, bytes]:
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    return size, raw[8 : 8 + size]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x" * 10)


def _lie_about_length(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:])


def _no_json(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 4) + b"{{{{")


def _overlap(path: Path) -> None:
    _rewrite(path, {"a": [0, 4], "b": [0, 4]})


def _wrong_shape(path: Path) -> None:
    _rewrite(path, {"a": [0, 8]})


def _negative(path: Path) -> None:
    _rewrite(path, {"a": [-4, 0]})


def _rewrite(path: Path, offsets: dict[str, list[int]]) -> None:
    header = json.dumps({n: {"dtype": "F32", "shape": [1], "data_offsets": o} for n, o in offsets.items()}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * max(o[1] for o in offsets.values()))


@pytest.mark.parametrize(
    "spoil", [_cut, _grow, _lie_about_length, _no_json, _overlap, _wrong_shape, _negative, Path.unlink, Path.touch]
)
async def test_a_broken_weight_file_is_named(store: ModelStore, folder: Path, spoil: object) -> None:
    weights = folder / "model.safetensors"
    if spoil is Path.touch:
        weights.write_bytes(b"")
    else:
        assert callable(spoil)
        spoil(weights)
    with pytest.raises(ModelInvalid, match="safetensors"):
        await store.inspect(folder)


async def test_a_missing_shard_is_named(store: ModelStore, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelInvalid, match="model-00002-of-00002"):
        await store.inspect(folder)
    save_file({"b": np.zeros(3, np.float32)}, str(folder / "model-00002-of-00002.safetensors"))
    assert (await store.inspect(folder)).num_parameters > 0
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}))
    with pytest.raises(ModelInvalid, match="not a file beside it"):
        await store.inspect(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"architectures": []}', "\x00", "[" * 100_000])
async def test_a_broken_configuration_is_a_sentence(store: ModelStore, folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelInvalid, match=r"config\.json"):
        await store.inspect(folder)


async def test_a_folder_without_a_model_says_what_is_missing(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"config\.json"):
        await store.inspect(tmp_path)


def test_a_larger_model_takes_more_and_leaves_room_for_less() -> None:
    free = 16 * 10**9
    small, large = (memory.estimate(n, device="cuda", available_bytes=free) for n in (10**8, 7 * 10**9))
    huge = memory.estimate(10**12, device="cuda", available_bytes=free)
    assert small.inference_gb < large.inference_gb < large.training_gb
    assert small.optimal_batch_size > large.optimal_batch_size == huge.optimal_batch_size == 1
    assert small.fits
    assert large.fits
    assert not huge.fits
    assert large.inference_gb == pytest.approx(15, rel=0.05)  # 7 B parameters of two bytes


def test_the_device_is_the_one_that_torch_finds() -> None:
    code = (
        "import torch\n"
        "print('mps' if torch.backends.mps.is_available() else 'cuda' if torch.cuda.is_available() else 'cpu')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert memory.detect_device() == found
