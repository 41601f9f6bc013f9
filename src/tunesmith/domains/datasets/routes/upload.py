"""Upload a data file by form."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from tunesmith.domains.datasets.errors import DatasetCreationError, UnsupportedFormatError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers.sniff import BOM
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, Datasets, Entry
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate, DatasetResponse
from tunesmith.domains.datasets.uploads import UploadedForm, file_too_large, receive_form
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.web import problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])

FORM_OVERHEAD_BYTES = 1 << 20
DRAINED_BYTES = 64 << 20
"""A refused upload is read on (and thrown away) up to this much, so that the client gets to see the refusal."""

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "name"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "UTF-8 .jsonl, .json or .csv."},
                        "name": {"type": "string", "maxLength": 200, "description": "Name that people see."},
                        "version": {"type": "string", "default": "1.0", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$"},
                        "format": {"type": "string", "enum": [fmt.value for fmt in DataFormat]},
                        "description": {"type": "string", "description": "What the data is."},
                        "tags": {"type": "string", "description": "Tags, separated by commas."},
                        "dataset_metadata": {"type": "string", "description": "Anything else, as a JSON object."},
                    },
                }
            }
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
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[int | None, Header(include_in_schema=False)] = None,
) -> DatasetResponse:
    """Upload a data file as a new dataset version; it is validated at once, in a job."""
    limit = datasets.limits.max_file_size_bytes
    form = UploadedForm()
    body = request.stream()
    try:
        if content_length is not None and content_length > limit + FORM_OVERHEAD_BYTES:
            raise file_too_large(limit)
        await receive_form(content_type, body, form, datasets.storage.put_stream, limit)
        assert form.stored is not None
        fields = _fields_of(form)
        fmt = await datasets.look(form.file_name, bytes(form.head), fields.format)
        async with access.write(resource=f"dataset:{fields.name}") as unit:
            made = await datasets.create(
                unit,
                fields,
                form.stored,
                file_name=form.file_name,
                fmt=fmt,
                has_bom=form.head.startswith(BOM),
                source={"kind": "upload"},
            )
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


async def _drain(body: AsyncIterator[bytes]) -> None:
    left = DRAINED_BYTES
    try:
        async for piece in body:
            left -= len(piece)
            if left < 0:
                return
    except (ClientDisconnect, RuntimeError):  # gone, or read to its end already
        return


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
        values["dataset_metadata"] = _object_of(values["dataset_metadata"])
    try:
        return DatasetCreate.model_validate(values)
    except ValidationError as error:
        faults = [
            {"location": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        words = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults[:5])
        raise DatasetCreationError(f"The form is not valid: {words}.", errors=faults) from None


def _object_of(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}", parse_constant=lambda name: _refuse(name))
        text.encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "\\u0000" in text:
        raise DatasetCreationError("The field `dataset_metadata` is not a JSON object.")
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)
