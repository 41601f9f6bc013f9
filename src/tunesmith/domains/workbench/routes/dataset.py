"""`/dataset/…`: the current dataset of one person."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tunesmith.db import Access
from tunesmith.domains.datasets import (
    CleanRequest,
    CorrelationMethod,
    DataFormat,
    DatasetPreviewResponse,
    DatasetSaveRequest,
    DatasetSaveResponse,
    DatasetSplitRequest,
    DatasetSplitResponse,
    DerivationResponse,
    EdaCorrelation,
    EdaDistribution,
    EdaMissing,
    EdaStatistics,
    EdaSummary,
    Question,
    TokenAnalysis,
    TokenAnalysisRequest,
    View,
)
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.workbench.schemas.dataset import DatasetHealth, DatasetInfo
from tunesmith.domains.workbench.service.datasets import DatasetBench
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    ID_MAX,
    Accepted,
    Wait,
    accepted,
    allow,
    body_of,
    problem_responses,
    provide,
    result_or_accepted,
)

router = APIRouter(prefix="/dataset", tags=["workbench: dataset"])
Bench = Annotated[DatasetBench, provide(DatasetBench)]
Jobs = Annotated[JobService, provide(JobService)]
Reader = Annotated[Access, allow(Permission.READ)]
Writer = Annotated[Access, allow(Permission.DATA_WRITE)]
Answer = TypeVar("Answer", bound=BaseModel)
ANSWERS: dict[int | str, dict[str, Any]] = {202: {"model": Accepted}, **problem_responses(404, 409, 422)}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The data file."},
                        "name": {"type": "string", "maxLength": 200, "description": "Name; default is the file's."},
                        "version": {"type": "string", "description": "Version; default is the next free one."},
                        "format": {"type": "string", "enum": [fmt.value for fmt in DataFormat]},
                        "description": {"type": "string", "description": "What the data is."},
                    },
                }
            }
        },
    }
}


@router.post(
    "/upload",
    status_code=201,
    response_model=DatasetInfo,
    responses=problem_responses(400, 409, 413, 422, 507),
    openapi_extra=_FORM,
)
async def upload_current_dataset(
    request: Request,
    access: Writer,
    bench: Bench,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[int | None, Header(include_in_schema=False)] = None,
    wait: Wait = 30,
) -> DatasetInfo:
    """Upload a data file and make it the current dataset; waits for its validation, which goes on if it takes longer."""
    return await bench.upload(access, content_type, content_length, body_of(request), wait)


@router.get("/info", responses=problem_responses(404))
async def get_current_dataset(access: Reader, bench: Bench) -> DatasetInfo:
    """Columns, types, rows, bytes, format and encoding of the current dataset."""
    return await bench.info(access)


@router.get("/preview", responses=problem_responses(404))
async def preview_current_dataset(
    access: Reader,
    bench: Bench,
    offset: Annotated[int, Query(ge=0, le=ID_MAX, description="Rows to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows to show.")] = 10,
) -> DatasetPreviewResponse:
    """Rows as they are in the file."""
    return await bench.preview(access, offset, limit)


@router.post("/analyze-tokens", response_model=TokenAnalysis, responses=ANSWERS)
async def analyze_tokens_of_current_dataset(
    access: Writer, bench: Bench, body: TokenAnalysisRequest | None = None, wait: Wait = 30
) -> TokenAnalysis | JSONResponse:
    """Tokens with the current (or a named) model's tokenizer: sums, percentiles, truncation, packing, steps, cost."""
    return _said(await bench.analyze_tokens(access, body or TokenAnalysisRequest(), wait))


@router.get("/eda/statistics", response_model=EdaStatistics, responses=ANSWERS)
async def get_statistics_of_current_dataset(
    access: Reader, bench: Bench, wait: Wait = 30
) -> EdaStatistics | JSONResponse:
    """Statistics of every column: numbers, texts, dates, conversations."""
    return await _explored(access, bench, Question(view=View.STATISTICS), EdaStatistics, wait)


@router.get("/eda/missing-values", response_model=EdaMissing, responses=ANSWERS)
async def get_missing_values_of_current_dataset(
    access: Reader, bench: Bench, wait: Wait = 30
) -> EdaMissing | JSONResponse:
    """Missing values of each column by kind, and which columns are missing together."""
    return await _explored(access, bench, Question(view=View.MISSING), EdaMissing, wait)


@router.get("/eda/value-distribution", response_model=EdaDistribution, responses=ANSWERS)
async def get_value_distribution_of_current_dataset(
    access: Reader,
    bench: Bench,
    column: Annotated[str | None, Query(max_length=1000, description="Only this column.")] = None,
    bins: Annotated[int, Query(ge=1, le=200, description="Bars of the histogram.")] = 20,
    top: Annotated[int, Query(ge=0, le=100, description="Frequent values to show.")] = 10,
    log: Annotated[bool, Query(description="Bars that grow by a constant factor.")] = False,
    wait: Wait = 30,
) -> EdaDistribution | JSONResponse:
    """A histogram and the most frequent values of one column or of all."""
    question = Question(view=View.DISTRIBUTION, column=column, bins=bins, top=top, log=log)
    return await _explored(access, bench, question, EdaDistribution, wait)


@router.get("/eda/correlation", response_model=EdaCorrelation, responses=ANSWERS)
async def get_correlation_of_current_dataset(
    access: Reader,
    bench: Bench,
    method: Annotated[CorrelationMethod, Query(description="`pearson` or `spearman`.")] = "pearson",
    wait: Wait = 30,
) -> EdaCorrelation | JSONResponse:
    """Correlation of numeric columns and lengths of texts, with n and p-value for each pair."""
    return await _explored(access, bench, Question(view=View.CORRELATION, method=method), EdaCorrelation, wait)


@router.get("/eda/summary", response_model=EdaSummary, responses=ANSWERS)
async def get_summary_of_current_dataset(access: Reader, bench: Bench, wait: Wait = 30) -> EdaSummary | JSONResponse:
    """All of it in one, with warnings that a person should act on."""
    return await _explored(access, bench, Question(view=View.SUMMARY), EdaSummary, wait)


@router.post("/split", response_model=DatasetSplitResponse, responses=ANSWERS)
async def split_current_dataset(
    access: Writer, bench: Bench, jobs: Jobs, body: DatasetSplitRequest, wait: Wait = 30
) -> dict[str, Any] | JSONResponse:
    """Train, validation and test parts, each a dataset of its own; the current dataset stays what it is."""
    return await result_or_accepted(jobs, access, await bench.split(access, body), wait)


@router.post(
    "/clean", response_model=DerivationResponse, responses={**ANSWERS, **problem_responses(403, 404, 409, 422)}
)
async def clean_current_dataset(
    access: Writer, bench: Bench, jobs: Jobs, body: CleanRequest, wait: Wait = 30
) -> dict[str, Any] | JSONResponse:
    """Missing values, duplicates, texts, lengths, columns: what each step removed, with examples. The result is the current

    dataset then; `reset` leads back to the upload. With `preview` nothing is made.
    """
    return await result_or_accepted(jobs, access, await bench.clean(access, body), wait)


@router.post(
    "/save", response_model=DatasetSaveResponse, responses={**ANSWERS, **problem_responses(403, 404, 409, 422, 507)}
)
async def save_current_dataset(
    access: Writer, bench: Bench, jobs: Jobs, body: DatasetSaveRequest | None = None, wait: Wait = 30
) -> dict[str, Any] | JSONResponse:
    """Write the current dataset as JSON Lines, CSV, Parquet or a Hugging Face dataset, to a path or to be downloaded."""
    return await result_or_accepted(jobs, access, await bench.save(access, body or DatasetSaveRequest()), wait)


@router.post("/reset", responses=problem_responses(404))
async def reset_current_dataset(access: Writer, bench: Bench) -> DatasetInfo:
    """Back to the upload as it was; versions that were made of it stay in the control plane."""
    return await bench.reset(access)


@router.get("/health")
async def get_dataset_health(access: Reader, bench: Bench) -> DatasetHealth:
    """State of the current dataset, and what can be uploaded."""
    return await bench.health(access)


async def _explored(
    access: Access, bench: DatasetBench, question: Question, model: type[Answer], wait_seconds: float
) -> Answer | JSONResponse:
    current = await bench.current(access)
    return _said(await bench.explorations.answer(access, current.dataset.id, question, model, wait_seconds))


def _said(answer: Answer | JobView) -> Answer | JSONResponse:
    return accepted(answer.id, answer.state) if isinstance(answer, JobView) else answer
