"""Getting a local file onto the server once: the same bytes are not uploaded again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.client import ApiError, TunesmithClient

OnEvent = Any
PLAIN_NAMES = ("data", "dataset", "train", "validation", "test", "questions", "general")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_name(path: Path) -> str:
    """A dataset name for a file; one that says little (`train.jsonl`) takes its folder's name in front."""
    stem = path.name.split(".", 1)[0] or path.name
    folder = path.absolute().parent.name
    return f"{folder}-{stem}" if stem.split("_", 1)[0] in PLAIN_NAMES and folder else stem


async def ensure_dataset(
    client: TunesmithClient,
    path: Path,
    *,
    name: str | None = None,
    version: str | None = None,
    column_mapping: Mapping[str, str] | None = None,
    on_event: OnEvent = None,
    reuse: bool = True,
) -> dict[str, Any]:
    """The dataset with the bytes of ``path``, validated: an existing version, or a new one uploaded now."""
    name = name or default_name(path)
    digest = sha256_of(path)
    existing = [d for d in await client.all_pages("/training/datasets", search=name) if d["name"] == name]
    dataset = next((d for d in existing if d["sha256"] == digest and d["status"] != "archived"), None)
    if not reuse or dataset is None:
        dataset = await _upload(client, path, name, version, [d["version"] for d in existing], column_mapping)
    if dataset.get("job_id") and dataset["status"] in ("uploaded", "validating"):
        await client.wait_for_job(int(dataset["job_id"]), on_event)
    return await client.get(f"/training/datasets/{dataset['id']}")


async def _upload(
    client: TunesmithClient,
    path: Path,
    name: str,
    version: str | None,
    taken: list[str],
    columns: Mapping[str, str] | None,
) -> dict[str, Any]:
    for _ in range(5):
        try:
            return await client.upload_dataset(
                path, name=name, version=version or next_version(taken), column_mapping=columns
            )
        except ApiError as error:
            if error.status != 409 or version is not None:
                raise
            taken = [
                d["version"] for d in await client.all_pages("/training/datasets", search=name) if d["name"] == name
            ]
    return await client.upload_dataset(path, name=name, version=version, column_mapping=columns)


def next_version(taken: list[str]) -> str:
    """`1.0` for the first, else the highest with its last number raised."""
    numbers = [tuple(int(n) for n in v.split(".")) for v in taken if re.fullmatch(r"\d+(\.\d+)*", v)]
    if not numbers:
        return "1.0"
    highest = max(numbers)
    return ".".join(str(n) for n in (*highest[:-1], highest[-1] + 1))
