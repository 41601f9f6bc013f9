"""Look through a model folder without loading it: configuration, headers of the weight files, tokenizer, template."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.domains.models.errors import ModelInvalid, PickleWeights, RemoteCode
from tunesmith.domains.models.safetensors import Tensor, read_header

CONFIG_LIMIT_BYTES = 16 * 2**20
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
INDEX = "model.safetensors.index.json"
DTYPES = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I8": "int8",
    "U8": "uint8",
}
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "model_max_length")
_SIZE_KEYS = {
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "num_heads"),
}


@dataclass(frozen=True)
class Inspection:
    """What a model folder says about itself."""

    architecture: str
    num_parameters: int
    dtype: str
    context_length: int | None
    vocab_size: int
    chat_template: bool
    size_bytes: int
    cache_bytes_per_token: int
    """Keys and values of one token in all layers, in two-byte numbers; 0 where the configuration does not say."""


def inspect_folder(folder: Path) -> Inspection:
    """Look through ``folder``; raises ``ModelInvalid``, ``PickleWeights`` or ``RemoteCode`` when it cannot be used."""
    config = _read_object(folder / "config.json", folder)
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    assert isinstance(text, dict)
    _refuse_own_code(folder, config)
    files = _weight_files(folder)
    tensors = [tensor for file in files for tensor in read_header(file)]
    if not tensors:
        raise ModelInvalid(f"The weight files of {folder.name!r} hold no tensors.")
    names = [a for a in config.get("architectures") or [] if isinstance(a, str)]
    if not names:
        raise ModelInvalid(f"config.json of {folder.name!r} names no architecture.")
    _check_tokenizer(folder)
    return Inspection(
        architecture=names[0],
        num_parameters=sum(tensor.numbers for tensor in tensors),
        dtype=_main_dtype(tensors),
        context_length=next((n for k in _CONTEXT_KEYS if (n := _whole_number(text, k)) is not None), None),
        vocab_size=_whole_number(text, "vocab_size") or 0,
        chat_template=_has_template(folder),
        size_bytes=sum(file.stat().st_size for file in files),
        cache_bytes_per_token=_cache_bytes_per_token(text),
    )


def shape_of(config: Mapping[str, Any]) -> tuple[int | None, int | None, int]:
    """(context length, vocabulary, cache bytes of a token) that a configuration promises; None and 0 where it is silent."""
    nested = config.get("text_config")
    text: dict[str, Any] = nested if isinstance(nested, dict) else dict(config)
    context = next((n for k in _CONTEXT_KEYS if (n := _whole_number(text, k)) is not None), None)
    return context, _whole_number(text, "vocab_size"), _cache_bytes_per_token(text)


def _read_object(path: Path, folder: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelInvalid(f"{folder.name!r} has no {path.name}, so it is not a model folder.")
    if path.stat().st_size > CONFIG_LIMIT_BYTES:
        raise ModelInvalid(f"{path.name} of {folder.name!r} is larger than {CONFIG_LIMIT_BYTES} bytes.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelInvalid(f"{path.name} of {folder.name!r} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelInvalid(f"{path.name} of {folder.name!r} is not a JSON object.")
    return value


def _refuse_own_code(folder: Path, config: dict[str, Any]) -> None:
    tokenizer = folder / "tokenizer_config.json"
    for name, document in (
        ("config.json", config),
        ("tokenizer_config.json", _read_object(tokenizer, folder) if tokenizer.is_file() else {}),
    ):
        if document.get("auto_map"):
            raise RemoteCode(f"{name} of {folder.name!r} asks for code from the folder (auto_map).")


def _weight_files(folder: Path) -> list[Path]:
    index = folder / INDEX
    if index.is_file():
        named = _read_object(index, folder).get("weight_map")
        if not isinstance(named, dict) or not named:
            raise ModelInvalid(f"{INDEX} of {folder.name!r} has no weight_map.")
        names = sorted({str(name) for name in named.values()})
        if strange := [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]:
            raise ModelInvalid(f"{INDEX} of {folder.name!r} names {strange[0][:100]!r}, which is not a file beside it.")
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise ModelInvalid(
                f"{folder.name!r} lacks {len(missing)} of {len(names)} weight files, the first is {missing[0]}."
            )
        return [folder / name for name in names]
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    if pickles := sorted(f.name for pattern in PICKLES for f in folder.glob(pattern)):
        raise PickleWeights(f"{folder.name!r} has its weights only as {pickles[0]}, which is a pickle.")
    raise ModelInvalid(f"{folder.name!r} has no *.safetensors file.")


def _check_tokenizer(folder: Path) -> None:
    if not (folder / "tokenizer.json").is_file():
        raise ModelInvalid(
            f"{folder.name!r} has no tokenizer.json.",
            hint="Save the tokenizer in its fast form beside the weights (save_pretrained of a fast tokenizer).",
        )


def _main_dtype(tensors: list[Tensor]) -> str:
    counted: Counter[str] = Counter()
    for tensor in tensors:
        counted[tensor.dtype] += tensor.numbers
    most = counted.most_common(1)[0][0]
    return DTYPES.get(most, most.lower())


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    tokenizer = folder / "tokenizer_config.json"
    return tokenizer.is_file() and bool(_read_object(tokenizer, folder).get("chat_template"))


def _whole_number(document: dict[str, Any], key: str) -> int | None:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40 else None


def _cache_bytes_per_token(text: dict[str, Any]) -> int:
    sizes = {name: next((n for k in keys if (n := _whole_number(text, k))), 0) for name, keys in _SIZE_KEYS.items()}
    if not all(sizes.values()):
        return 0
    head = _whole_number(text, "head_dim") or sizes["hidden_size"] // sizes["heads"]
    shared = _whole_number(text, "num_key_value_heads") or sizes["heads"]
    return 2 * sizes["layers"] * shared * head * 2
