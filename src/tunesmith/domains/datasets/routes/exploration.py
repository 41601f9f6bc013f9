"""Explore a dataset: statistics, missing values, distributions, correlations, tokens."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tunesmith.domains.datasets.exploration import Question
from tunesmith.domains.datasets.explorations import ExplorationService
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Entry, Reader, Wait
from tunesmith.domains.datasets.schemas.exploration import (
    CorrelationMethod,
    EdaCorrelation,
    EdaDistribution,
    EdaMissing,
    EdaStatistics,
    EdaSummary,
    View,
)
from tunesmith.domains.datasets.schemas.tokens import TokenAnalysis, TokenAnalysisRequest
from tunesmith.domains.jobs import JobView
from tunesmith.kit.web import Accepted, accepted, problem_responses, provide

router = APIRouter(prefix=PREFIX, tags=[TAG])
Explorations = Annotated[ExplorationService, provide(ExplorationService)]
Answer = TypeVar("Answer", bound=BaseModel)
ANSWERS: dict[int | str, dict[str, Any]] = {202: {"model": Accepted}, **problem_responses(404, 409, 422)}


def _said(answer: Answer | JobView) -> Answer | JSONResponse:
    return accepted(answer.id, answer.state) if isinstance(answer, JobView) else answer


@router.get("/{id}/eda/statistics", response_model=EdaStatistics, responses=ANSWERS)
async def get_statistics(
    dataset_id: DatasetId, access: Reader, explorations: Explorations, wait: Wait = 2
) -> EdaStatistics | JSONResponse:
    """Count, mean, deviation, quartiles of numbers; lengths, languages and vocabulary of texts; turns of conversations."""
    question = Question(view=View.STATISTICS)
    return _said(await explorations.answer(access, dataset_id, question, EdaStatistics, wait))


@router.get("/{id}/eda/missing-values", response_model=EdaMissing, responses=ANSWERS)
async def get_missing_values(
    dataset_id: DatasetId, access: Reader, explorations: Explorations, wait: Wait = 2
) -> EdaMissing | JSONResponse:
    """Missing values of each column by kind, and which columns are missing together."""
    question = Question(view=View.MISSING)
    return _said(await explorations.answer(access, dataset_id, question, EdaMissing, wait))


@router.get("/{id}/eda/value-distribution", response_model=EdaDistribution, responses=ANSWERS)
async def get_value_distribution(
    dataset_id: DatasetId,
    access: Reader,
    explorations: Explorations,
    column: Annotated[str | None, Query(max_length=1000, description="Only this column.")] = None,
    bins: Annotated[int, Query(ge=1, le=200, description="Bars of the histogram.")] = 20,
    top: Annotated[int, Query(ge=0, le=100, description="Frequent values to show.")] = 10,
    log: Annotated[bool, Query(description="Bars that grow by a constant factor.")] = False,
    wait: Wait = 2,
) -> EdaDistribution | JSONResponse:
    """A histogram of numbers, dates or lengths, and the most frequent values, of one column or of all."""
    question = Question(view=View.DISTRIBUTION, column=column, bins=bins, top=top, log=log)
    return _said(await explorations.answer(access, dataset_id, question, EdaDistribution, wait))


@router.get("/{id}/eda/correlation", response_model=EdaCorrelation, responses=ANSWERS)
async def get_correlation(
    dataset_id: DatasetId,
    access: Reader,
    explorations: Explorations,
    method: Annotated[CorrelationMethod, Query(description="`pearson` or `spearman`.")] = "pearson",
    wait: Wait = 2,
) -> EdaCorrelation | JSONResponse:
    """Correlation of numeric columns and lengths of texts, with n and p-value for each pair."""
    question = Question(view=View.CORRELATION, method=method)
    return _said(await explorations.answer(access, dataset_id, question, EdaCorrelation, wait))


@router.get("/{id}/eda/summary", response_model=EdaSummary, responses=ANSWERS)
async def get_summary(
    dataset_id: DatasetId, access: Reader, explorations: Explorations, wait: Wait = 2
) -> EdaSummary | JSONResponse:
    """All of it in one, with warnings that a person should act on."""
    return _said(await explorations.answer(access, dataset_id, Question(view=View.SUMMARY), EdaSummary, wait))


@router.post("/{id}/analyze-tokens", response_model=TokenAnalysis, responses=ANSWERS)
async def analyze_tokens(
    dataset_id: DatasetId,
    access: Entry,
    explorations: Explorations,
    body: TokenAnalysisRequest | None = None,
    wait: Wait = 2,
) -> TokenAnalysis | JSONResponse:
    """Tokens with a model's tokenizer and chat template: sums, percentiles, truncation, packing, steps and cost."""
    return _said(await explorations.answer_tokens(access, dataset_id, body or TokenAnalysisRequest(), wait))
