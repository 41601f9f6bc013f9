"""Sending a large file in parts: after a break, or in another process, it goes on where the server says."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.client.errors import ApiError, Unreachable
from tunesmith.client.wire import Json

if TYPE_CHECKING:
    from tunesmith.client.api import OnEvent, TunesmithClient

UPLOADS = "/api/v1/admin/uploads"
FORM_LIMIT_BYTES = 32 << 20
"""A larger file goes in parts."""
PART_BYTES = 64 << 20
PIECE_BYTES = 1 << 20
MAX_BREAKS = 20


async def send_in_parts(client: TunesmithClient, path: Path, on_event: OnEvent | None = None) -> int:
    """Upload a file in parts; answers the id of the complete upload. Raises ApiError, and Unreachable after many breaks."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    body = {"file_name": path.name, "size_bytes": size, "sha256": digest}
    upload: Json = await client.call("POST", UPLOADS, body=body)
    upload_id, offset, breaks = int(upload["id"]), int(upload["received_bytes"]), 0
    while offset < size:
        if on_event is not None:
            on_event("progress", {"step": offset >> 20, "total_steps": size >> 20, "message": "uploading, MiB"})
        try:
            offset = int((await _send_part(client, upload_id, path, offset))["received_bytes"])
        except Unreachable as error:
            breaks += 1
            if breaks > MAX_BREAKS:
                raise
            await client.wait_until_back(error)
            offset = int((await client.call("GET", f"{UPLOADS}/{upload_id}"))["received_bytes"])
        except ApiError as error:
            breaks += 1
            if error.code not in ("upload-offset", "upload-busy") or breaks > MAX_BREAKS:
                raise
            offset = int((await client.call("GET", f"{UPLOADS}/{upload_id}"))["received_bytes"])
    await client.call("POST", f"{UPLOADS}/{upload_id}/complete", timeout_seconds=3600)
    return upload_id


async def _send_part(client: TunesmithClient, upload_id: int, path: Path, offset: int) -> Any:
    return await client.call(
        "PUT",
        f"{UPLOADS}/{upload_id}",
        query={"offset": offset},
        content=_pieces(path, offset, PART_BYTES),
        timeout_seconds=3600,
    )


async def _pieces(path: Path, offset: int, size: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while size and (piece := file.read(min(PIECE_BYTES, size))):
            size -= len(piece)
            yield piece
