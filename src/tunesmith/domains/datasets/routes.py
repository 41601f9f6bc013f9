"""Training data over HTTP: upload, look, validate, split."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets.doctor import CODES, Severity
from tunesmith.domains.datasets.errors import DatasetCreationError, UnsupportedFormatError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers.sniff import BOM
from tunesmith.domains.datasets.schemas import (
    NEAR_DUPLICATES_LATER,
    DatasetCreate,
    DatasetListResponse,
    DatasetPreviewResponse,
    DatasetResponse,
    DatasetSplitRequest,
    DatasetSplitResponse,
    DatasetStatus,
    DatasetValidationRequest,
    DatasetValidationResponse,
    FindingListResponse,
)
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.uploads import UploadedForm, file_too_large, receive_form
from tunesmith.domains.jobs import JobService
from tunesmith.kit.errors import InvalidInput, TunesmithError
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, Accepted, accepted, allow, paging, problem_responses, provide, reading

router = APIRouter(prefix="/api/v1/admin/training/datasets", tags=["training data"])

Reads = Annotated[Unit, reading(Permission.READ)]
Entry = Annotated[Access, allow(Permission.DATA_WRITE)]
Datasets = Annotated[DatasetService, provide(DatasetService)]
Jobs = Annotated[JobService, provide(JobService)]
DatasetId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the dataset.")]
Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the answer; then 202 with the job.")]
Sort = Literal[
    "created_at", "-created_at", "name", "-name", "size_bytes", "-size_bytes",
    "total_samples", "-total_samples", "quality_score", "-quality_score",
]  # fmt: skip

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


@router.get("")
async def list_datasets(
    unit: Reads,
    datasets: Datasets,
    page: Annotated[PageRequest, paging()],
    search: Annotated[str | None, Query(max_length=200, description="Part of a name or file name.")] = None,
    status: Annotated[list[DatasetStatus] | None, Query(description="Only these states.")] = None,
    sort: Annotated[Sort, Query(description="Column to sort by; `-` for the largest first.")] = "-created_at",
) -> DatasetListResponse:
    """Datasets, newest first."""
    return await datasets.list_datasets(unit, page, search=search, statuses=status or [], sort=sort)


@router.get("/{id}", responses=problem_responses(404))
async def get_dataset(dataset_id: DatasetId, unit: Reads, datasets: Datasets) -> DatasetResponse:
    """One dataset version."""
    return await datasets.get(unit, dataset_id)


@router.get("/{id}/preview", responses=problem_responses(404))
async def preview_dataset(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    offset: Annotated[int, Query(ge=0, le=ID_MAX, description="Rows to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows to show.")] = 50,
) -> DatasetPreviewResponse:
    """Rows as they are in the file."""
    return await datasets.preview(unit, dataset_id, offset, limit)


@router.get("/{id}/findings", responses=problem_responses(404, 409))
async def list_findings(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    page: Annotated[PageRequest, paging()],
    severity: Annotated[Severity | None, Query(description="Only findings of this severity.")] = None,
    code: Annotated[str | None, Query(max_length=60, description="Only findings with this code.")] = None,
) -> FindingListResponse:
    """What the last validation found, in the order of the file."""
    if code is not None and code not in CODES:
        raise InvalidInput(f"There is no finding {code[:60]!r}.", hint=f"The codes are: {', '.join(CODES)}.")
    return await datasets.list_findings(unit, dataset_id, page, severity=severity, code=code)


@router.post(
    "/{id}/validate",
    response_model=DatasetValidationResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def validate_dataset(
    dataset_id: DatasetId,
    access: Entry,
    datasets: Datasets,
    jobs: Jobs,
    body: DatasetValidationRequest | None = None,
    wait: Wait = 2,
) -> DatasetValidationResponse | JSONResponse:
    """Examine the file again; answers what was found."""
    asked = body or DatasetValidationRequest()
    if asked.similarity_threshold != NEAR_DUPLICATES_LATER:
        raise UnsupportedFormatError(
            "Near duplicates are not compared in this version, so `similarity_threshold` takes its default only.",
            hint=f"Leave `similarity_threshold` out, or send {NEAR_DUPLICATES_LATER}.",
        )
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await datasets.validate(unit, dataset_id, asked)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DatasetValidationResponse.model_validate(ended.result_or_raise())


@router.post(
    "/{id}/split",
    response_model=DatasetSplitResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def split_dataset(
    dataset_id: DatasetId, access: Entry, datasets: Datasets, jobs: Jobs, body: DatasetSplitRequest, wait: Wait = 2
) -> DatasetSplitResponse | JSONResponse:
    """Make parts that share no prompt, each a dataset of its own; the same seed makes the same split."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await datasets.split(unit, dataset_id, body)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DatasetSplitResponse.model_validate(ended.result_or_raise())
