"""What the training routes of the workbench take and answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tunesmith.domains.datasets import DatasetXrayRequest, DatasetXrayResponse
from tunesmith.domains.jobs import Priority
from tunesmith.domains.models import HUB_ID
from tunesmith.domains.training import FinetuningStatus, RunFigures, TrainingMetrics
from tunesmith.kit.paging import Page
from tunesmith.wire.recipe import Adapter, LoraSection, Objective, TrainingSection


class _Aliased(BaseModel):
    """Takes the names that other tools use for the same settings; a setting under two names is refused."""

    ALIASES: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_aliases(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = dict(value)
        for alias, name in cls.ALIASES.items():
            if alias in found:
                if name in found:
                    raise ValueError(f"{alias} and {name} are the same setting; give one of them")
                found[name] = found.pop(alias)
        return found


class LoraConfigRequest(_Aliased, LoraSection):
    """Train small matrices beside the frozen model. What is left out has its default."""

    ALIASES: ClassVar[Mapping[str, str]] = {
        "lora_rank": "r",
        "lora_r": "r",
        "rank": "r",
        "lora_alpha": "alpha",
        "lora_dropout": "dropout",
        "rslora": "use_rslora",
        "dora": "use_dora",
    }
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"r": 16, "alpha": 32}]})
    bias: Literal["none", "all", "lora_only"] = Field("none", description="Which biases are trained too.")
    modules_to_save: list[str] = Field(
        default_factory=list, max_length=100, description="Modules that are trained whole and kept with the adapter."
    )
    objective: Objective | None = Field(None, description="What is optimised; left out, it stays as it is.")


class QloraConfigRequest(LoraConfigRequest):
    """The same beside a frozen model in four bits."""

    ALIASES: ClassVar[Mapping[str, str]] = {
        **LoraConfigRequest.ALIASES,
        "bnb_4bit_quant_type": "quantization_type",
        "quant_type": "quantization_type",
        "bnb_4bit_use_double_quant": "double_quantization",
        "double_quant": "double_quantization",
        "bnb_4bit_compute_dtype": "compute_dtype",
    }
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"r": 16, "quantization_type": "nf4"}]})
    quantization_type: Literal["nf4", "fp4"] = Field("nf4", description="Four-bit type of the frozen weights.")
    double_quantization: bool = Field(True, description="Whether the scales are quantised too.")
    compute_dtype: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="Number format in which the unpacked weights are multiplied."
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_dtype(cls, value: Any) -> Any:
        names = {"bfloat16": "bf16", "float32": "fp32"}
        if isinstance(value, dict):
            return {k: names.get(v, v) if "compute_dtype" in k and isinstance(v, str) else v for k, v in value.items()}
        return value


class TrainingArgsRequest(_Aliased, TrainingSection):
    """How long, how fast and in what portions to train. What is left out has its default."""

    ALIASES: ClassVar[Mapping[str, str]] = {
        "num_epochs": "epochs",
        "num_train_epochs": "epochs",
        "per_device_train_batch_size": "batch_size",
        "micro_batch_size": "batch_size",
        "lr_scheduler_type": "scheduler",
        "lr_scheduler": "scheduler",
        "max_seq_length": "max_length",
        "save_total_limit": "keep_last_n",
        "metric_for_best_model": "metric_for_best",
    }
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"epochs": 3, "batch_size": 4, "learning_rate": 0.0002}]}
    )
    method: Adapter | Literal["full"] | None = Field(
        None, description="Which weights are trained: `lora`, `qlora` or `full`; left out, it stays as it is."
    )
    objective: Objective | None = Field(None, description="What is optimised; left out, it stays as it is.")
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="Seed of data order and initialisation.")
    device: Literal["auto", "mps", "cuda", "cpu"] | None = Field(None, description="Device; `auto` takes the first.")


class TrainingConfiguration(BaseModel):
    """What is configured for the next run."""

    method: str = Field(description="Which weights are trained.", examples=["lora"])
    objective: str = Field(description="What is optimised.", examples=["sft"])
    lora: dict[str, Any] | None = Field(description="Settings of the adapter; null for full fine-tuning.")
    quantization: dict[str, Any] | None = Field(description="How the base is quantised; null when it is not.")
    training: dict[str, Any] = Field(description="Length, speed and portions, with their defaults.")
    recipe: dict[str, Any] = Field(description="The recipe so far; base model and data are those that are current.")
    ready: bool = Field(description="Whether `/train/start` has all that it needs.")
    missing: list[str] = Field(description="What it still needs: a model, a dataset.")


class PrepareDatasetRequest(DatasetXrayRequest):
    """Which rows to show, as the model reads them. The model is the current one unless another is named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"max_length": 1024, "limit": 5}]})
    limit: int = Field(5, ge=1, le=50, description="Rows to show.")


class PreparedDataset(DatasetXrayResponse):
    """The dataset as it will be trained on: rows token by token, and the sums over all rows."""

    dataset: str = Field(description="`name@version` of the dataset.")
    format: str = Field(description="Shape of its rows.")
    trained_share: float | None = Field(description="Tokens that carry loss, as a share of all; null until counted.")
    ready: bool = Field(description="Whether training can start on it.")


class StartRequest(BaseModel):
    """Start a run with what is configured, the current model and the current dataset."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "first"}, {"queue": True}]})
    name: str | None = Field(None, min_length=1, max_length=200, description="Name of the run; default names the data.")
    queue: bool = Field(False, description="Whether to wait in the queue when a run of yours has not ended.")
    priority: Priority = Field(0, description="Higher starts sooner; 0 is usual.")
    validation_share: float = Field(
        0.1, ge=0, lt=1, description="Share held out for the evaluation loss, unless the dataset has been split."
    )
    evaluate: bool = Field(True, description="Whether base and tuned are compared when the training has ended.")
    register_as: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,255}$", description="Name in the registry under which the result is kept."
    )


class TrainingStarted(BaseModel):
    """The run is in the queue."""

    job_id: int = Field(description="Job that trains; the fine-tuning job of the control plane has the same id.")
    status: FinetuningStatus = Field(description="State of the run now.")
    name: str = Field(description="Name of the run.")
    queue_position: int | None = Field(description="Place in the queue, from 1.")
    recipe: dict[str, Any] = Field(description="The recipe that runs.")
    warnings: list[str] = Field(description="What is worth knowing and stopped nothing.")
    links: dict[str, str] = Field(description="Where to look: self, events, logs, metrics, checkpoints, socket.")


class TrainingStatus(BaseModel):
    """The run that was started last, as it is now."""

    status: Literal["idle"] | FinetuningStatus = Field(description="State of the run; `idle`: none was started yet.")
    job_id: int | None = Field(None, description="Job that trains.")
    name: str | None = Field(None, description="Name of the run.")
    progress: float = Field(0.0, description="Share done, 0 to 1.")
    step: int = Field(0, description="Optimizer updates done.")
    total_steps: int | None = Field(None, description="Optimizer updates in all, when known.")
    epoch: float | None = Field(None, description="Passes over the data.")
    loss: float | None = Field(None, description="Newest training loss.")
    eval_loss: float | None = Field(None, description="Newest evaluation loss.")
    learning_rate: float | None = Field(None, description="Newest learning rate.")
    grad_norm: float | None = Field(None, description="Newest norm of the gradient.")
    tokens_per_second: float | None = Field(None, description="Tokens without padding, a second.")
    memory_gb: float | None = Field(None, description="Memory in use, in 10⁹ bytes.")
    eta_seconds: float | None = Field(None, description="Estimated seconds until the end.")
    queue_position: int | None = Field(None, description="Place in the queue, from 1.")
    message: str | None = Field(None, description="What is being done.")
    log: list[str] = Field(default_factory=list, description="Last lines of the log, oldest first.")
    figures: RunFigures | None = Field(None, description="The figures of the run, once it has ended.")
    error_type: str | None = Field(None, description="Where the cause of a failure lies.")
    error_message: str | None = Field(None, description="What was wrong.")
    hint: str | None = Field(None, description="What to do about it.")
    started_at: datetime | None = Field(None, description="When it was started.")
    completed_at: datetime | None = Field(None, description="When it ended.")


class PastRun(BaseModel):
    """A run of this person."""

    job_id: int = Field(description="Job that trained.")
    name: str = Field(description="Name of the run.")
    status: FinetuningStatus = Field(description="State of the run.")
    base_model: str = Field(description="Model that it started from.")
    dataset_id: int | None = Field(description="Dataset that it trained on.")
    method: str = Field(description="Which weights were trained.")
    hyperparameters: dict[str, Any] = Field(description="Its settings.")
    figures: RunFigures | None = Field(description="Its figures, once it has ended.")
    curves: list[TrainingMetrics] = Field(description="Its curves, thinned to `max_points`.")
    created_at: datetime = Field(description="When it was made.")
    completed_at: datetime | None = Field(description="When it ended.")


class TrainingHistory(Page[PastRun]):
    """A page of runs, newest first."""


class SaveRequest(BaseModel):
    """What to keep of a run, and where."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"format": "merged", "path": "guide"}]})
    format: Literal["adapter", "merged", "hub"] = Field(
        "adapter",
        description="`adapter`: the trained part; `merged`: the base with it merged in; `hub`: push to the Hub.",
    )
    job_id: int | None = Field(None, ge=1, le=2**31 - 1, description="Run; default is the one that was started last.")
    path: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Folder of the server's machine; relative ones lie in `saved` of the data folder.",
    )
    overwrite: bool = Field(False, description="Whether a folder that is there may be replaced.")
    repo_id: str | None = Field(
        None, pattern=HUB_ID, description="With `hub`: where to push to.", examples=["team/support-bot"]
    )
    private: bool = Field(True, description="With `hub`: whether a repository that is made is private.")
    access_token: SecretStr | None = Field(
        None, max_length=500, description="With `hub`: token with write access; default is HF_TOKEN of the server."
    )

    @model_validator(mode="after")
    def _repo_for_the_hub(self) -> SaveRequest:
        if (self.format == "hub") != (self.repo_id is not None):
            raise ValueError("`repo_id` says where on the Hub, and belongs to the format `hub`")
        return self


class EvaluateRunRequest(BaseModel):
    """On what to measure a run beside its base."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}, {"metrics": ["loss", "perplexity"]}]})
    job_id: int | None = Field(None, ge=1, le=2**31 - 1, description="Run; default is the one that was started last.")
    dataset_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Held-out rows; default is what the run itself held out."
    )
    metrics: list[str] = Field(
        default_factory=lambda: ["loss", "perplexity"], min_length=1, max_length=20, description="What to measure."
    )
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.")
    max_questions: int = Field(200, ge=1, le=100_000, description="At most this many questions are asked.")


class TrainingHealth(BaseModel):
    """Whether training is possible, and what is going on."""

    status: Literal["ready", "training", "queued", "unavailable"] = Field(
        description="`ready`; `training` and `queued`: a run of yours has not ended; `unavailable`: no engine is installed."
    )
    engine: str = Field(description="What trains.")
    problems: list[str] = Field(description="Why training is not possible.")
    device: str = Field(description="Device that runs train on.")
    memory_total_gb: float = Field(description="Its memory, in 10⁹ bytes.")
    memory_available_gb: float = Field(description="Memory that is free now.")
    workers: int = Field(description="Workers that are there.")
    methods: list[str] = Field(description="Which weights can be trained.")
    objectives: list[str] = Field(description="What can be optimised.")
    current_model: str | None = Field(description="Name of the current model.")
    current_dataset: str | None = Field(description="`name@version` of the current dataset.")
    job_id: int | None = Field(description="The run that was started last.")
    configuration: TrainingConfiguration = Field(
        description="Method, settings and recipe as they stand for the next start."
    )
