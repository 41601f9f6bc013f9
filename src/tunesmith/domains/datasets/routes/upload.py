"""Make a dataset of a file that is sent as a form, or was uploaded in parts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from tunesmith.db import Access
from tunesmith.domains.datasets.errors import DatasetCreationError, UnsupportedFormatError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, Datasets, Entry
from tunesmith.domains.datasets.routes.parts import Uploads
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate, DatasetResponse
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.uploads import UploadedForm, file_too_large, receive_form, receive_json
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])

MaxSize = Annotated[
    int | None, Query(ge=1, le=2**53, description="Another limit for this file, in bytes; for administrators.")
]
FORM_OVERHEAD_BYTES = 1 << 20
DRAINED_BYTES = 64 << 20
"""A refused upload is read on (and thrown away) up to this much, so that the client gets to see the refusal."""

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
    responses=problem_responses(400, 409, 413, 422, 507),
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
    limit = datasets.limits.max_file_size_bytes
    if max_file_size_bytes is not None:
        access.principal.require(Permission.ADMIN)
        limit = max_file_size_bytes
    form = UploadedForm()
    body = request.stream()
    try:
        if content_length is not None and content_length > limit + FORM_OVERHEAD_BYTES:
            raise file_too_large(limit)
        if content_type.partition(";")[0].strip().lower() == "application/json":
            await receive_json(body, form)
        else:
            await receive_form(content_type, body, form, datasets.storage.put_stream, limit)
        made = await _create(access, datasets, uploads, form)
    except ClientDisconnect:
        raise DatasetCreationError("The client went away before the upload was complete.") from None
    except BaseException as error:
        if form.stored is not None:
            async with access.write("dataset.refuse") as unit:
                await datasets.forget_file(unit, form.stored)
        if isinstance(error, TunesmithError):
            await _drain(body)
        raise
    response.headers["location"] = f"{router.prefix}/{made.id}"
    return made


async def _create(
    access: Access, datasets: DatasetService, uploads: UploadService, form: UploadedForm
) -> DatasetResponse:
    upload_id = _upload_id_of(form)
    mapping = _mapping_of(form)
    fields = _fields_of(form)
    file_name, stored = form.file_name, form.stored
    async with access.read() as unit:
        if upload_id is not None:
            file_name, stored = await uploads.stored(unit, upload_id)
        assert stored is not None
        path = await datasets.files.path_of(stored.key)
        seen, reading = await datasets.look(unit, path, file_name, fields.format, mapping)
    async with access.write(resource=f"dataset:{fields.name}") as unit:
        made = await datasets.create(
            unit,
            fields,
            stored,
            file_name=file_name,
            fmt=reading.format,
            source={"kind": "upload"} | reading.provenance,
            layout=seen.layout,
            mapping=reading.mapping,
        )
        if upload_id is not None:
            await uploads.mark_used(unit, upload_id)
        return made


async def _drain(body: AsyncIterator[bytes]) -> None:
    left = DRAINED_BYTES
    try:
        async for piece in body:
            left -= len(piece)
            if left < 0:
                return
    except (ClientDisconnect, RuntimeError):  # gone, or read to its end already
        return


def _upload_id_of(form: UploadedForm) -> int | None:
    """The upload in parts that the form names instead of a file."""
    text = form.fields.pop("upload_id", None)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) <= ID_MAX:
        raise DatasetCreationError(f"The field `upload_id` is not the id of an upload: {text[:40]!r}.")
    return int(text)


def _mapping_of(form: UploadedForm) -> dict[str, str] | None:
    text = form.fields.pop("column_mapping", None)
    if not text:
        return None
    mapping = _object_of(text, "column_mapping")
    if not all(isinstance(name, str) for name in mapping.values()):
        raise DatasetCreationError("The field `column_mapping` maps a column to something that is no text.")
    return mapping or None


def _fields_of(form: UploadedForm) -> DatasetCreate:
    values: dict[str, Any] = dict(form.fields)
    if not values.get("format"):
        values.pop("format", None)
    elif values["format"] not in list(DataFormat):
        known = ", ".join(fmt.value for fmt in DataFormat)
        raise UnsupportedFormatError(
            f"The format {values['format'][:60]!r} is not known here; there are {known}.",
            hint="Leave `format` out to have it detected, or send one of those.",
        )
    if "tags" in values:
        values["tags"] = [tag.strip() for tag in values["tags"].split(",") if tag.strip()]
    if "dataset_metadata" in values:
        values["dataset_metadata"] = _object_of(values["dataset_metadata"], "dataset_metadata")
    try:
        return DatasetCreate.model_validate(values)
    except ValidationError as error:
        faults = [
            {"location": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        words = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults[:5])
        raise DatasetCreationError(f"The form is not valid: {words}.", errors=faults) from None


def _object_of(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}", parse_constant=lambda name: _refuse(name))
        text.encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "\\u0000" in text:
        raise DatasetCreationError(f"The field `{name}` is not a JSON object.")
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)
