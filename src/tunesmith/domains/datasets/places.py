"""Files of the store as files of this machine."""

from __future__ import annotations

from pathlib import Path

from tunesmith.ports.storage import Storage


class LocalFiles:
    """Gives a path for a stored object: the object itself where the store is a folder, else a copy that is kept."""

    def __init__(self, storage: Storage, cache_dir: Path) -> None:
        self._storage = storage
        self._cache_dir = cache_dir

    async def path_of(self, key: str) -> Path:
        """A local file with the object's content, to be read and never written. Raises ObjectNotFound."""
        path = self._storage.local_path(key)
        if path is not None:
            return path
        copy = self._cache_dir / key
        if not copy.is_file() or copy.stat().st_size != (await self._storage.stat(key)).size_bytes:
            await self._storage.download(key, copy)
        return copy
