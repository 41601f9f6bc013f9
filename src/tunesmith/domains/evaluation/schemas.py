"""What evaluations look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.registry import Publication
from tunesmith.kit.paging import Page

MetricName = Literal["loss", "perplexity", "exact_match", "preference_accuracy", "preference_margin"]
OF_ROWS: tuple[MetricName, ...] = ("loss", "perplexity")
OF_QUESTIONS: tuple[MetricName, ...] = ("exact_match",)
OF_PAIRS: tuple[MetricName, ...] = ("preference_accuracy", "preference_margin")
METRICS: tuple[MetricName, ...] = (*OF_ROWS, *OF_QUESTIONS, *OF_PAIRS)
Reference = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Metric(BaseModel):
    """A figure with its uncertainty (95 %)."""

    value: float = Field(description="The figure.")
    stderr: float | None = Field(None, description="Standard error; null when one item was measured.")
    low: float | None = Field(None, description="Lower end of the 95 % interval.")
    high: float | None = Field(None, description="Upper end of the 95 % interval.")
    n: int = Field(description="Items that were measured.")
    p_value: float | None = Field(None, description="Of a paired comparison, where there is one.")


class EvaluateSpec(BaseModel):
    """What an `evaluate` job does."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    publication: Publication | None = Field(None, description="A training's result, before it is registered.")
    model_id: int | None = Field(None, description="A registered version.")
    model: str | None = Field(None, description="A model by name, as every command takes it.")
    base: str | None = Field(None, description="What `model` is compared with; needed for a full model.")
    dataset_id: int | None = Field(
        None,
        description="Held-out rows: loss, and questions unless others are named. Of preference pairs, which is likelier.",
    )
    questions_dataset_id: int | None = Field(None, description="Held-out questions with their answers.")
    general_dataset_id: int | None = Field(None, description="Questions about other things: what was forgotten?")
    metrics: list[MetricName] = Field(
        default_factory=lambda: list(METRICS), min_length=1, description="What to measure, where the rows allow it."
    )
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.")
    max_questions: int = Field(200, ge=1, description="At most this many questions of each set are asked.")

    @model_validator(mode="after")
    def _one_target(self) -> EvaluateSpec:
        if self.dataset_id is None and self.questions_dataset_id is None:
            raise ValueError("give dataset_id or questions_dataset_id")
        return self


class Side(BaseModel):
    """One of the two models."""

    name: str = Field(description="The model.")
    loss: float | None = Field(None, description="Held-out loss of a token, in nats.")
    perplexity: float | None = Field(None, description="Its exponential.")
    answers_right: int | None = Field(None, description="Questions answered exactly.")
    answers_total: int | None = Field(None, description="Questions asked.")
    preference_accuracy: float | None = Field(
        None, description="Share of the pairs whose better answer is likelier, by the mean of its tokens."
    )
    preference_margin: float | None = Field(
        None, description="By how much, in nats: difference of the mean log-probabilities of their tokens."
    )
    metrics: dict[str, Metric] = Field(default_factory=dict, description="The same with their uncertainty.")


class Comparison(BaseModel):
    """Base beside tuned on one set."""

    base: Side | None = Field(None, description="The model before; null when a model is looked at alone.")
    tuned: Side = Field(description="The model after.")
    difference: dict[str, Metric] = Field(default_factory=dict, description="Tuned minus base, item by item.")


class EvaluationResponse(Comparison):
    """What came of an `evaluate` job."""

    evaluation_id: int = Field(0, description="Id of the evaluation.")
    job_id: int = Field(0, description="Job that made it.")
    dataset_id: int | None = Field(None, description="Held-out rows.")
    questions_dataset_id: int | None = Field(None, description="The questions.")
    general: Comparison | None = Field(None, description="The same on questions about other things.")
    answers_key: str | None = Field(None, description="Every question with both answers, in the store.")
    conditions: dict[str, Any] = Field(
        default_factory=dict,
        description="What must be equal for figures to be compared: greedy, longest answer, rules.",
    )


Wanted = Annotated[
    list[str] | None,
    Field(
        min_length=1,
        max_length=20,
        description="`loss`, `perplexity` and `exact_match` of conversations, `preference_accuracy` and `preference_margin` "
        "of preference pairs; null for all that the data allows.",
    ),
]


class EvaluationRequest(BaseModel):
    """Evaluate any model beside its base, or beside another."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"model": "guide@1.0.0", "questions": "dataset:guide-test"}]}
    )
    model: Reference = Field(
        description="`name@version`, `run:ID`, a folder, `tunesmith/tiny` or a Hub id in the local store."
    )
    base: Reference | None = Field(None, description="Model to compare with; default is the one it was tuned from.")
    data: Reference | None = Field(None, description="Held-out rows or preference pairs, as `dataset:NAME@VERSION`.")
    questions: Reference | None = Field(None, description="Questions with their answers; default is `data`.")
    general: Reference | None = Field(None, description="Questions about other things.")
    metrics: Wanted = None
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.")
    max_questions: int = Field(200, ge=1, le=100_000, description="At most this many questions are asked.")


class RunEvaluationRequest(BaseModel):
    """Evaluate what a fine-tuning job has made, beside its base."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}, {"dataset_id": 3}]})
    dataset_id: Id | None = Field(None, description="Held-out rows; default is what the run itself held out.")
    metrics: Wanted = None
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.")
    max_questions: int = Field(200, ge=1, le=100_000, description="At most this many questions are asked.")


class ModelEvaluationRequest(BaseModel):
    """Evaluate a version beside its base."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dataset_id": 3}]})
    dataset_id: Id = Field(description="Held-out rows; their last assistant message is the expected answer. Or pairs.")
    general_dataset_id: Id | None = Field(None, description="Questions about other things.")
    metrics: Wanted = None
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.")
    max_questions: int = Field(200, ge=1, le=100_000, description="At most this many questions are asked.")


class ModelEvaluationResponse(BaseModel):
    """An evaluation of a version."""

    model_config = ConfigDict(protected_namespaces=())
    id: int = Field(description="Id of the evaluation.")
    model_id: int | None = Field(description="Version that was evaluated.")
    job_id: int = Field(description="Job that made it.")
    dataset_id: int | None = Field(None, description="Held-out rows.")
    metrics: EvaluationResponse = Field(description="The figures.")
    evaluator: int = Field(description="Person who asked for it.")
    created_at: datetime = Field(description="When it was made.")


class ModelEvaluationListResponse(Page[ModelEvaluationResponse]):
    """A page of evaluations, newest first."""
