"""The recipe, version 1: one small file that says everything about a run.

The web form is rendered from this schema, the command line and the API take it as a body, the registry keeps it with each
version. Unknown keys are refused with the nearest name. ``docs/reference/recipe.md`` is generated from the descriptions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from tunesmith.wire.devices import ResourcesSection
from tunesmith.wire.formats import ExportFormat, method_in
from tunesmith.wire.gguf_methods import GGUF_METHODS as GGUF_METHODS
from tunesmith.wire.gguf_methods import find_method
from tunesmith.wire.methods import MEASURES, Adapter, GrpoSection, LoraSection, MethodSection, Objective
from tunesmith.wire.section import Section

__all__ = ["Adapter", "ExportFormat", "LoraSection", "MethodSection", "Objective", "Precision", "Recipe", "Section"]


class Scheduler(StrEnum):
    """How the learning rate moves after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant"


class Precision(StrEnum):
    """Number format of the forward and backward pass; weights in training stay float32."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class ModelSection(Section):
    """Which model to start from."""

    base: str = Field(
        description="`tunesmith/tiny`, a Hub id in the local store, `./folder` or an absolute path.",
        min_length=1,
        title="Base model",
    )
    revision: str | None = Field(
        None, description="Revision of a Hub model; empty means the one in the local store.", title="Revision"
    )


class SplitSection(Section):
    """Shares of the parts, when the training file is to be split first. Near duplicates stay together."""

    train: float = Field(0.9, gt=0, le=1, description="Share of the rows to train on.", title="Training share")
    validation: float = Field(
        0.1, ge=0, lt=1, description="Share held out for the evaluation loss.", title="Validation share"
    )
    test: float = Field(0.0, ge=0, lt=1, description="Share that nothing looks at before the end.", title="Test share")

    @model_validator(mode="after")
    def _sum_is_one(self) -> SplitSection:
        if abs(self.train + self.validation + self.test - 1) > 0.01:
            raise ValueError("train, validation and test must add up to 1")
        return self


class DataSection(Section):
    """What to learn from."""

    train: str = Field(
        description="`dataset:NAME@VERSION`, or a path relative to the recipe.", min_length=1, title="Training data"
    )
    validation: str | None = Field(
        None, description="Held-out data for the evaluation loss; the same forms as `train`.", title="Validation data"
    )
    test: str | None = Field(
        None, description="Data for the final evaluation; the same forms as `train`.", title="Test data"
    )
    format: Literal[
        "auto", "messages", "alpaca", "prompt_completion", "sharegpt", "preference", "kto", "text", "qa"
    ] = Field("auto", description="Format of the rows.", title="Format")
    split: SplitSection | None = Field(None, description="Split `train` first.", title="Split")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Refuse to run on other bytes than these.", title="SHA-256"
    )


class EarlyStopping(Section):
    """Stop when the evaluation no longer improves."""

    patience: int = Field(
        3, ge=1, description="Evaluations without improvement before the run stops.", title="Patience"
    )
    min_delta: float = Field(
        0.0, ge=0, description="Smallest change that counts as an improvement.", title="Smallest improvement"
    )


class TrainingSection(Section):
    """How long, how fast and in what portions to train."""

    epochs: float | None = Field(
        None, gt=0, le=1000, description="Passes over the data. Give this or `max_steps`.", title="Epochs"
    )
    max_steps: int | None = Field(None, ge=1, description="Optimizer updates. Give this or `epochs`.", title="Steps")
    batch_size: int = Field(
        8, ge=1, le=4096, description="Rows (packed: sequences) in one forward pass.", title="Batch size"
    )
    batch_tokens: int | None = Field(
        None,
        ge=8,
        description="Tokens in one forward pass, in place of `batch_size`, which becomes `batch_tokens / max_length`.",
        title="Tokens in a batch",
    )
    gradient_accumulation_steps: int = Field(
        1, ge=1, le=4096, description="Forward passes before one update.", title="Accumulation"
    )
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Highest learning rate.", title="Learning rate")
    scheduler: Scheduler = Field(Scheduler.COSINE, description="How the learning rate falls.", title="Schedule")
    warmup_ratio: float = Field(
        0.03, ge=0, lt=1, description="Share of the updates in which the learning rate rises.", title="Warm-up share"
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW weight decay.", title="Weight decay")
    max_grad_norm: float = Field(
        1.0, ge=0, description="Gradients are clipped to this norm; 0 is off.", title="Gradient clipping"
    )
    max_length: int = Field(
        1024,
        ge=8,
        description="Longest row in tokens; longer ones are cut, and the run says how many.",
        title="Longest row",
    )
    packing: bool = Field(
        True,
        description="Fill sequences with several rows, each seeing only itself: the same result, sooner.",
        title="Packing",
    )
    group_by_length: bool = Field(
        True,
        description="Where rows are not packed, those of like length share an update: less padding.",
        title="Group by length",
    )
    precision: Precision = Field(
        Precision.AUTO, description="`auto` takes bf16 where the device computes in it, else fp32.", title="Precision"
    )
    gradient_checkpointing: bool = Field(
        False, description="Less memory for about a fifth more time.", title="Gradient checkpointing"
    )
    offload_activations: bool = Field(
        False,
        description="On a GPU: what the backward pass needs waits in the processor's memory. Less memory, slower.",
        title="Activation offload",
    )
    compile: bool = Field(
        False,
        description="Layers as kernels of their own, compiled at the start: some percent faster after a minute.",
        title="Compile",
    )
    autotune: bool = Field(
        False,
        description="Try portions of the same update, kept activations and threads at the start; take the fastest that fits.",
        title="Autotune",
    )
    logging_steps: int = Field(1, ge=1, description="A point on the curves every so many updates.", title="Log every")
    eval_steps: int | None = Field(
        None, ge=1, description="Evaluation loss every so many updates; empty: at the end.", title="Evaluate every"
    )
    save_steps: int = Field(500, ge=1, description="A checkpoint every so many updates.", title="Save every")
    keep_last_n: int = Field(
        3, ge=1, description="Checkpoints kept; the best one is kept besides.", title="Checkpoints kept"
    )
    metric_for_best: Literal["eval_loss", "eval_accuracy", "eval_margin", "eval_reward", "loss"] = Field(
        "eval_loss",
        description="What makes a checkpoint the best, and what early stopping watches where it begins with `eval_`.",
        title="Best by",
    )
    metric_mode: Literal["auto", "min", "max"] = Field(
        "auto",
        description="Whether less or more of it is better; `auto` knows: less of a loss, more of the others.",
        title="Best is",
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="Stop when the evaluation no longer improves.", title="Early stopping"
    )

    @property
    def more_is_better(self) -> bool:
        """Whether the best checkpoint has the highest ``metric_for_best``."""
        if self.metric_mode != "auto":
            return self.metric_mode == "max"
        return not self.metric_for_best.endswith("loss")

    @model_validator(mode="after")
    def _one_length(self) -> TrainingSection:
        if self.epochs is not None and self.max_steps is not None:
            raise ValueError("give either epochs or max_steps, not both")
        if self.epochs is None and self.max_steps is None:
            self.epochs = 3.0
        return self

    @model_validator(mode="after")
    def _one_batch(self) -> TrainingSection:
        if self.batch_tokens is None:
            return self
        if "batch_size" in self.model_fields_set:
            raise ValueError("give either batch_tokens or batch_size, not both")
        if self.batch_tokens < self.max_length:
            raise ValueError(f"batch_tokens must be at least max_length ({self.max_length}): one row has to fit")
        self.batch_size, self.batch_tokens = self.batch_tokens // self.max_length, None
        return self


class EvaluateSection(Section):
    """The evaluation after the training, always base beside tuned."""

    enabled: bool = Field(True, description="Evaluate when the training has ended.", title="Evaluate")
    questions: str | None = Field(
        None,
        description="Held-out questions with exact answers; the same forms as `data.train`; default is the test or validation part.",
        title="Questions",
    )
    general: str | None = Field(
        None, description="Questions about other things, to see what was forgotten.", title="General questions"
    )
    max_new_tokens: int = Field(64, ge=1, le=4096, description="Longest answer, in tokens.", title="Longest answer")
    max_questions: int = Field(
        200, ge=1, description="At most this many questions are asked.", title="Questions at most"
    )


class RegisterSection(Section):
    """The name under which the result is kept."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,255}$", description="Model name in the registry.", title="Name")
    version: str | None = Field(
        None, pattern=r"^\d+\.\d+\.\d+$", description="Version; empty takes the next free one.", title="Version"
    )
    tags: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]] = Field(
        default_factory=list,
        max_length=50,
        description="Tags: letters, digits, `_` and `-`, at most 50 each.",
        title="Tags",
    )


class ExportItem(Section):
    """One export of the result."""

    format: ExportFormat = Field(
        description="`gguf`, `merged`, `hf`, `adapter`, `onnx`, `ollama`, `mlx` or `zip`.", title="Format"
    )
    method: str | None = Field(
        None,
        description="GGUF method (of `gguf`, `ollama`, `zip`), or number format `fp32`, `bf16`, `fp16` (of `merged`, `hf`).",
        title="Method",
    )

    @model_validator(mode="after")
    def _method_fits(self) -> ExportItem:
        self.method = method_in(self.format, self.method, _gguf_method)
        return self


def _gguf_method(name: str | None) -> str:
    found = find_method(name or "Q8_0")
    if found is None:
        raise ValueError(f"method must be one of {', '.join(GGUF_METHODS)}")
    return found.name


class Recipe(Section):
    """Everything about a run. ``version`` is the version of this format."""

    version: Literal[1] = Field(1, description="Version of the recipe format.", title="Format version")
    name: str = Field(min_length=1, max_length=200, description="A name that people recognise.", title="Name")
    seed: int = Field(
        42, ge=0, le=2**31 - 1, description="Seed of data order, dropout and initialisation.", title="Seed"
    )
    model: ModelSection = Field(description="The model to start from.", title="Model")
    data: DataSection = Field(description="The data.", title="Data")
    method: MethodSection = Field(
        default_factory=MethodSection, description="How the weights are changed.", title="Method"
    )
    training: TrainingSection = Field(
        default_factory=TrainingSection, description="The optimisation.", title="Training"
    )
    resources: ResourcesSection = Field(
        default_factory=ResourcesSection, description="Where the run may happen.", title="Resources"
    )
    evaluate: EvaluateSection = Field(
        default_factory=EvaluateSection, description="The evaluation after the training.", title="Evaluation"
    )
    register_as: RegisterSection | None = Field(
        None, alias="register", description="The name under which the result is kept.", title="Registry"
    )
    export: list[ExportItem] = Field(
        default_factory=list, description="What the result is exported to; needs `register`.", title="Exports"
    )

    model_config = ConfigDict(
        extra="forbid", use_enum_values=True, validate_default=True, allow_inf_nan=False, populate_by_name=True
    )

    @model_validator(mode="after")
    def _export_needs_a_version(self) -> Recipe:
        if self.export and self.register_as is None:
            raise ValueError("export needs register: exports belong to a registered version")
        if self.method.adapter == Adapter.FULL and any(item.format == ExportFormat.ADAPTER for item in self.export):
            raise ValueError("export: there is no adapter where method.adapter is full; take merged or hf")
        return self

    @model_validator(mode="after")
    def _best_is_measured(self) -> Recipe:
        metric, objective = self.training.metric_for_best, self.method.objective
        measured = ("loss", "eval_loss", *(f"eval_{name}" for name in MEASURES[objective]))
        if metric not in measured:
            raise ValueError(
                f"training.metric_for_best: {objective} does not measure {metric}; take {', '.join(measured)}"
            )
        holds_out = self.data.validation is not None or (self.data.split is not None and self.data.split.validation > 0)
        if metric not in ("loss", "eval_loss") and not holds_out:
            raise ValueError(
                f"training.metric_for_best: {metric} needs held-out rows: set data.validation or data.split"
            )
        return self

    @model_validator(mode="after")
    def _questions_have_room(self) -> Recipe:
        grpo = self.method.grpo or GrpoSection()
        if self.method.objective == Objective.GRPO and self.training.max_length <= grpo.max_new_tokens:
            raise ValueError(
                f"training.max_length {self.training.max_length} leaves no room for a question beside "
                f"{grpo.max_new_tokens} new tokens (method.grpo.max_new_tokens)"
            )
        return self

    def to_plain(self) -> dict[str, object]:
        """The recipe as plain JSON values, with the names that the file uses."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
