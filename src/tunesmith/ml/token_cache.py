"""Tokenised rows kept between runs, by the content of everything that they depend on.

A file's name is the SHA-256 of the rows, the model's tokenizer and template, the length, the libraries and the source that
tokenises; so what is found is never stale, whoever wrote it. Files are written under another name and renamed, and carry a digest
of their content: two runs may write the same one at once, and a damaged one is tokenised again. The folder is bounded; what was
not used for longest goes first. A cache that cannot be written costs time and never fails a run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

import tunesmith.text
from tunesmith.ml import rows as rows_module
from tunesmith.ml.rows import TokenRows

LIMIT_BYTES = 4 << 30
"""Of all files together."""
SUFFIX = ".safetensors"
TOKENIZER_SUFFIXES = (".json", ".jinja", ".txt", ".model")
"""Of the files in a model's folder that a tokenizer or template may be read from."""
ARRAYS = ("input_ids", "trained", "starts", "without_target")


class TokenCache:
    """The cache in ``folder``; with None nothing is kept."""

    def __init__(self, folder: Path | None, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def rows(
        self, file: Path, model: Path, kind: str, max_length: int, tokenize: Callable[[], TokenRows]
    ) -> tuple[TokenRows, bool]:
        """The rows of ``file`` under the tokenizer of ``model``, and whether they were there already."""
        if self._folder is None:
            return tokenize(), False
        target = self._folder / (key_of(file, model, kind, max_length) + SUFFIX)
        found = _read(target)
        if found is not None:
            return found, True
        rows = tokenize()
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(rows.input_ids.nbytes + rows.trained.nbytes + rows.starts.nbytes)
            _write(target, rows)
        return rows, False

    def _make_room(self, size_bytes: int) -> None:
        assert self._folder is not None
        files = []
        for file in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another run may remove it meanwhile
                status = file.stat()
                files.append((status.st_mtime, status.st_size, file))
        total = sum(size for _, size, _ in files) + size_bytes
        for _, size, file in sorted(files):
            if total <= self._limit_bytes:
                break
            file.unlink(missing_ok=True)
            total -= size


def key_of(file: Path, model: Path, kind: str, max_length: int) -> str:
    """SHA-256 over all that tokenised rows depend on."""
    digest = hashlib.sha256()
    libraries = {name: version(name) for name in ("tokenizers", "jinja2")}
    for source in (*sorted(Path(tunesmith.text.__file__).parent.rglob("*.py")), Path(rows_module.__file__)):
        libraries[source.name] = _sha256(source)
    for part in sorted(model.rglob("*")):
        if part.is_file() and part.suffix in TOKENIZER_SUFFIXES:
            libraries[part.relative_to(model).as_posix()] = _sha256(part)
    digest.update(json.dumps([kind, max_length, libraries, _sha256(file)], sort_keys=True).encode())
    return digest.hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read(target: Path) -> TokenRows | None:
    """Rows from a whole file; None when there is none, or it is damaged (it is then removed)."""
    try:
        with safe_open(str(target), framework="numpy") as stored:
            arrays = {name: stored.get_tensor(name) for name in ARRAYS}
            about = stored.metadata() or {}
        if about.get("sha256") != _digest(arrays):
            raise ValueError("the content is not what was written")
        os.utime(target)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, SafetensorError):
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        return None
    without_target = arrays.pop("without_target").tolist()
    return TokenRows(**arrays, cut=int(about["cut"]), without_target=without_target, divided=int(about["divided"]))


def _write(target: Path, rows: TokenRows) -> None:
    arrays = {name: getattr(rows, name) for name in ARRAYS if name != "without_target"}
    arrays["without_target"] = np.asarray(rows.without_target, dtype=np.int64)
    about = {"cut": str(rows.cut), "divided": str(rows.divided), "sha256": _digest(arrays)}
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(6)}")
    try:
        save_file(arrays, temporary, metadata=about)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
