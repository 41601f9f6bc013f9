"""Upload a large file in parts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from tunesmith.domains.datasets.errors import DatasetCreationError
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, Entry, Reads
from tunesmith.domains.datasets.schemas.upload import UploadCreate, UploadResponse
from tunesmith.kit.web import ID_MAX, problem_responses, provide

router = APIRouter(tags=[TAG])

UPLOADS = "/api/v1/admin/uploads"
ALIAS = f"{PREFIX}/uploads"

Uploads = Annotated[UploadService, provide(UploadService)]
UploadId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the upload.")]
Offset = Annotated[int, Query(ge=0, le=2**53, description="Where the part begins: the upload's `received_bytes`.")]
_BYTES = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the part, of any length.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(UPLOADS, status_code=201, responses=problem_responses(400, 413, 422, 507))
@router.post(ALIAS, status_code=201, responses=problem_responses(400, 413, 422, 507), name="create_dataset_upload")
async def create_upload(body: UploadCreate, response: Response, access: Entry, uploads: Uploads) -> UploadResponse:
    """Begin to upload a file in parts, limited by free disk only. Parts that were acknowledged survive a restart."""
    async with access.write(resource=f"upload:{body.file_name}") as unit:
        made = await uploads.create(unit, body)
    response.headers["location"] = f"{UPLOADS}/{made.id}"
    return made


@router.get(UPLOADS + "/{id}", responses=problem_responses(404))
@router.get(ALIAS + "/{id}", responses=problem_responses(404), name="get_dataset_upload")
async def get_upload(upload_id: UploadId, unit: Reads, uploads: Uploads) -> UploadResponse:
    """How much has arrived: after a break, go on from `received_bytes`."""
    return await uploads.get(unit, upload_id)


@router.put(UPLOADS + "/{id}", responses=problem_responses(404, 409, 422, 507), openapi_extra=_BYTES)
@router.patch(
    ALIAS + "/{id}",
    responses=problem_responses(404, 409, 422, 507),
    openapi_extra=_BYTES,
    name="send_dataset_upload_part",
)
async def send_upload_part(
    upload_id: UploadId, offset: Offset, request: Request, access: Entry, uploads: Uploads
) -> UploadResponse:
    """Send the part that begins at `offset`. Another offset is 409 with the right one as `received_bytes`."""
    try:
        return await uploads.receive(access, upload_id, offset, request.stream())
    except ClientDisconnect:
        raise DatasetCreationError("The client went away before the part was complete; what arrived is kept.") from None


@router.delete(UPLOADS + "/{id}", status_code=204, responses=problem_responses(404))
async def delete_upload(upload_id: UploadId, access: Entry, uploads: Uploads) -> None:
    """Give an upload up, with everything that has arrived."""
    async with access.write(resource=f"upload:{upload_id}") as unit:
        await uploads.delete(unit, upload_id)


@router.post(UPLOADS + "/{id}/complete", responses=problem_responses(404, 409, 422, 507))
@router.post(ALIAS + "/{id}/complete", responses=problem_responses(404, 409, 422, 507), name="complete_dataset_upload")
async def complete_upload(upload_id: UploadId, access: Entry, uploads: Uploads) -> UploadResponse:
    """Say that everything was sent: the SHA-256 is compared, and the file is ready for `POST …/datasets` with `upload_id`."""
    return await uploads.complete(access, upload_id)
