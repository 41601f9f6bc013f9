"""Make a dataset of a file that is sent as a form, or was uploaded in parts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.intake import Intake
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, Datasets, Entry
from tunesmith.domains.datasets.routes.parts import Uploads
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import body_of, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])

MaxSize = Annotated[
    int | None, Query(ge=1, le=2**53, description="Another limit for this file, in bytes; for administrators.")
]
_FIELDS = {
    "name": {"type": "string", "maxLength": 200, "description": "Name that people see."},
    "version": {"type": "string", "default": "1.0", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$"},
    "format": {"type": "string", "enum": [fmt.value for fmt in DataFormat]},
    "column_mapping": {
        "type": "string",
        "description": "Column of the file → field of the format, as a JSON object; proposed when it is left out.",
    },
    "upload_id": {"type": "integer", "description": "A complete upload in parts, instead of `file`."},
    "description": {"type": "string", "description": "What the data is."},
    "tags": {"type": "string", "description": "Tags, separated by commas."},
    "dataset_metadata": {"type": "string", "description": "Anything else, as a JSON object."},
}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JSONL, JSON, CSV, TSV or Parquet; plain or as gzip, Zstandard or ZIP; "
                            "UTF-8, UTF-16 or CP949.",
                        },
                        **_FIELDS,
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name", "upload_id"],
                    "properties": {
                        **_FIELDS,
                        "column_mapping": {"type": "object", "additionalProperties": {"type": "string"}},
                        "dataset_metadata": {"type": "object"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=DatasetResponse,
    responses=problem_responses(400, 404, 409, 413, 422, 507),
    openapi_extra=_FORM,
)
async def upload_dataset(
    request: Request,
    response: Response,
    access: Entry,
    datasets: Datasets,
    uploads: Uploads,
    max_file_size_bytes: MaxSize = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[int | None, Header(include_in_schema=False)] = None,
) -> DatasetResponse:
    """Make a dataset version of a data file, sent here or uploaded in parts; it is validated at once, in a job."""
    if max_file_size_bytes is not None:
        access.principal.require(Permission.ADMIN)
    intake = Intake(datasets, uploads, max_file_size_bytes=max_file_size_bytes)
    made = await intake.receive(access, content_type, content_length, body_of(request))
    response.headers["location"] = f"{router.prefix}/{made.id}"
    return made
