"""Statistics, prepared files, downloads."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, StreamingResponse

from tunesmith.domains.datasets.outputs.service import Download, OutputService
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Entry, Jobs, Outputs, Reader, Reads, Wait
from tunesmith.domains.datasets.schemas.outputs import (
    DatasetPreprocessRequest,
    DatasetPreprocessResponse,
    DatasetStatisticsResponse,
    DatasetStatsResponse,
    DownloadFormat,
    PreprocessFormat,
)
from tunesmith.kit.ids import slugify
from tunesmith.kit.web import Accepted, problem_responses, result_or_accepted

router = APIRouter(prefix=PREFIX, tags=[TAG])

Model = Annotated[str, Query(max_length=1000, description="Model whose tokenizer counts.")]


FILE_TYPES = (
    "application/octet-stream",
    "application/x-ndjson",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/zip",
)
"""Kinds of files that a download can be."""


@router.get("/{id}/stats", responses=problem_responses(404))
async def get_dataset_stats(dataset_id: DatasetId, unit: Reads, outputs: Outputs) -> DatasetStatsResponse:
    """What is known about a dataset, at once: no file is read."""
    return await outputs.stats(unit, dataset_id)


@router.get(
    "/{id}/statistics",
    response_model=DatasetStatisticsResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def get_dataset_statistics(
    dataset_id: DatasetId,
    access: Reader,
    outputs: Outputs,
    jobs: Jobs,
    count_tokens: Annotated[bool, Query(description="Count tokens, too.")] = False,
    model: Model = "tunesmith/tiny",
    wait: Wait = 2,
) -> DatasetStatisticsResponse | JSONResponse:
    """Figures computed from the file; for a content that was looked at before they are there at once."""
    async with access.read() as unit:
        kept = await outputs.find_statistics(unit, dataset_id, count_tokens=count_tokens, model=model)
    if kept is not None:
        return kept
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await outputs.start_statistics(unit, dataset_id, count_tokens=count_tokens, model=model)
    answer = await result_or_accepted(jobs, access, job, wait)
    return answer if isinstance(answer, JSONResponse) else DatasetStatisticsResponse.model_validate(answer)


@router.post(
    "/{id}/preprocess",
    response_model=DatasetPreprocessResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 413, 422)},
)
async def preprocess_dataset(
    dataset_id: DatasetId,
    access: Entry,
    outputs: Outputs,
    jobs: Jobs,
    body: DatasetPreprocessRequest | None = None,
    output_format: Annotated[str, Query(max_length=100, description="alpaca, sharegpt or messages.")] = "alpaca",
    validate: Annotated[bool, Query(description="Whether rows have to be fit for training.")] = True,
    wait: Wait = 2,
) -> DatasetPreprocessResponse | JSONResponse:
    """Write the dataset as alpaca, sharegpt or messages, as Axolotl and others read them; the dataset itself stays."""
    target = PreprocessFormat.of(output_format)
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await outputs.preprocess(unit, dataset_id, target, validate, body or DatasetPreprocessRequest())
    answer = await result_or_accepted(jobs, access, job, wait)
    return answer if isinstance(answer, JSONResponse) else DatasetPreprocessResponse.model_validate(answer)


@router.get(
    "/{id}/download",
    response_model=None,
    response_class=StreamingResponse,
    responses={
        200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILE_TYPES}},
        202: {"model": Accepted},
        **problem_responses(404, 409, 422),
    },
)
async def download_dataset(
    dataset_id: DatasetId,
    access: Reader,
    outputs: Outputs,
    jobs: Jobs,
    format: Annotated[DownloadFormat, Query(description="What to download it as.")] = DownloadFormat.ORIGINAL,
    wait: Wait = 2,
) -> StreamingResponse | JSONResponse:
    """The rows as a file: as it was uploaded, or as JSON Lines, CSV, Parquet, a Hugging Face dataset (ZIP).

    Another form is written once, by a job; until it is there the answer is 202, and the same call gives the file then.
    """
    async with access.read() as unit:
        found = await outputs.find_download(unit, dataset_id, format)
    if found is None:
        async with access.write(resource=f"dataset:{dataset_id}") as unit:
            job = await outputs.start_packing(unit, dataset_id, format)
        answer = await result_or_accepted(jobs, access, job, wait)
        if isinstance(answer, JSONResponse):
            return answer
        async with access.read() as unit:
            found = await outputs.find_download(unit, dataset_id, format)
        assert found is not None, "the job has kept it"
    return await _file(outputs, found)


async def _file(outputs: OutputService, download: Download) -> StreamingResponse:
    stem, _, suffix = download.file_name.rpartition(".")
    plain = f"{slugify(stem, fallback='dataset')}.{suffix}"
    headers = {
        "content-length": str(download.size_bytes),
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(download.file_name, safe='')}",
        "x-content-type-options": "nosniff",
    }
    pieces = await outputs.datasets.storage.open_read(download.key)
    return StreamingResponse(pieces, media_type=download.media_type, headers=headers)
