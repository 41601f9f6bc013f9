"""Files in the store that follow from the content of a version alone: made once, whoever has that content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tunesmith.domains.datasets.places import LocalFiles
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.ports.storage import ObjectNotFound, Storage


class ContentResults:
    """Results by content hash (and column mapping, which changes what the rows say) and name."""

    def __init__(self, storage: Storage, files: LocalFiles) -> None:
        self._storage = storage
        self._files = files

    @staticmethod
    def folder_of(sha256: str) -> str:
        """Where everything about a content lies; it goes when the content goes."""
        return f"datasets/results/{sha256}"

    def key(self, row: DatasetRow, name: str) -> str:
        """The key of one result of ``row``."""
        reading = json.dumps([row.format, row.column_mapping], sort_keys=True)
        return f"{self.folder_of(row.sha256)}/{hashlib.sha256(reading.encode()).hexdigest()[:16]}/{name}"

    async def find(self, row: DatasetRow, name: str) -> Path | None:
        """The result as a local file; None when it has not been made."""
        try:
            return await self._files.path_of(self.key(row, name))
        except ObjectNotFound:
            return None

    async def keep(self, row: DatasetRow, name: str, path: Path) -> None:
        """Keep a file as a result; the same content twice is no harm."""
        await self._storage.put_file(path, self.key(row, name))

    async def forget(self, sha256: str) -> int:
        """Remove everything about a content; answers how many bytes that frees."""
        freed = 0
        for key in [key async for key in self._storage.list_keys(self.folder_of(sha256))]:
            freed += (await self._storage.stat(key)).size_bytes
            await self._storage.delete(key)
        return freed
