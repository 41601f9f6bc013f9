"""Ways to train: what is optimised, which weights change, the settings of each, and which rows each learns from."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tunesmith.wire.section import Section


class Objective(StrEnum):
    """What is optimised."""

    SFT = "sft"
    CPT = "cpt"
    DPO = "dpo"
    ORPO = "orpo"
    KTO = "kto"
    REWARD = "reward"
    GRPO = "grpo"


class Adapter(StrEnum):
    """Which weights are trained."""

    LORA = "lora"
    QLORA = "qlora"
    FULL = "full"


CONVERSATIONS = ("messages", "alpaca", "prompt_completion", "sharegpt", "qa")
PAIRS = ("preference",)
FORMATS: dict[str, tuple[str, ...]] = {
    Objective.SFT: CONVERSATIONS,
    Objective.CPT: ("text",),
    Objective.DPO: PAIRS,
    Objective.ORPO: PAIRS,
    Objective.KTO: ("kto", "preference"),
    Objective.REWARD: PAIRS,
    Objective.GRPO: CONVERSATIONS,
}
"""The formats of rows that each objective learns from."""

MEASURES: dict[str, tuple[str, ...]] = {
    Objective.SFT: (),
    Objective.CPT: (),
    Objective.DPO: ("accuracy", "margin"),
    Objective.ORPO: ("accuracy", "margin"),
    Objective.KTO: ("accuracy",),
    Objective.REWARD: ("accuracy", "margin"),
    Objective.GRPO: ("reward",),
}
"""What each objective measures besides its loss, of which more is better."""

PREFERENCE_OBJECTIVES = (Objective.DPO, Objective.ORPO, Objective.KTO, Objective.REWARD)
"""Objectives that learn which of two answers is better."""


class LoraSection(Section):
    """Low-rank adapters (Hu et al. 2021)."""

    r: int = Field(16, ge=1, le=1024, description="Rank: higher learns more and costs more memory.", title="Rank")
    alpha: float = Field(32, gt=0, description="Scale of the update: alpha / r.", title="Alpha")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout inside the adapter.", title="Dropout")
    target_modules: Literal["auto", "all-linear"] | Annotated[list[str], Field(min_length=1)] = Field(
        "all-linear", description="`auto`, `all-linear`, or names of modules.", title="Target modules"
    )
    use_rslora: bool = Field(False, description="Scale by alpha / sqrt(r) (rank-stabilised).", title="rsLoRA")
    use_dora: bool = Field(
        False, description="Decompose weights into magnitude and direction (DoRA): better, slower.", title="DoRA"
    )


class QuantizationSection(Section):
    """The frozen base in four bits (Dettmers et al. 2023); only `adapter: qlora` reads it."""

    type: Literal["nf4", "fp4"] = Field(
        "nf4", description="`nf4` fits weights best; `fp4` is a plain four-bit float.", title="Four-bit type"
    )
    double: bool = Field(True, description="Quantise the scales too: 0.4 bits a weight less.", title="Double")
    compute_dtype: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="Number format in which the unpacked weights are multiplied; `auto` follows the precision.",
        title="Computes in",
    )


class DpoSection(Section):
    """Direct preference optimisation (Rafailov et al. 2023) and its relatives."""

    loss: Literal[
        "sigmoid", "ipo", "hinge", "robust", "sigmoid_norm", "apo_zero", "apo_down", "exo_pair", "nca_pair"
    ] = Field(
        "sigmoid",
        description="`sigmoid` is DPO; `ipo` overfits less on clear pairs; `robust` bears wrong pairs.",
        title="Loss",
    )
    beta: float = Field(0.1, gt=0, le=100, description="How near to the base the model stays.", title="Beta")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="Share of pairs believed to be swapped (`robust`, `exo_pair`).",
        title="Smoothing",
    )
    sft_weight: float = Field(
        0.0, ge=0, le=100, description="Weight of learning the better answer itself beside it.", title="SFT weight"
    )

    @model_validator(mode="after")
    def _smoothing_fits(self) -> DpoSection:
        if self.loss in ("robust", "exo_pair") and self.label_smoothing == 0:
            raise ValueError(f"loss {self.loss} needs label_smoothing above 0, e.g. 0.1")
        if self.label_smoothing and self.loss not in ("robust", "exo_pair", "sigmoid"):
            raise ValueError("label_smoothing is for the losses sigmoid, robust and exo_pair")
        return self


class OrpoSection(Section):
    """Odds-ratio preference optimisation (Hong et al. 2024): answers and preferences at once, without a reference."""

    beta: float = Field(0.1, gt=0, le=100, description="Weight of the preference beside the answer.", title="Beta")


class KtoSection(Section):
    """Learning from answers marked good or bad (Ethayarajh et al. 2024)."""

    loss: Literal["kto", "apo_zero_unpaired"] = Field(
        "kto", description="`kto` measures against the drift from the base; the other does not.", title="Loss"
    )
    beta: float = Field(0.1, gt=0, le=100, description="How near to the base the model stays.", title="Beta")
    desirable_weight: float = Field(1.0, gt=0, le=100, description="Weight of good answers.", title="Weight of good")
    undesirable_weight: float = Field(1.0, gt=0, le=100, description="Weight of bad answers.", title="Weight of bad")


class RewardSection(Section):
    """A model that scores answers (Bradley and Terry 1952; Ouyang et al. 2022)."""

    center: float = Field(
        0.0, ge=0, le=100, description="Keeps the mean score near zero; 0 is off, 0.01 is usual.", title="Centring"
    )


class RewardRule(Section):
    """One rule that gives an answer points between 0 and 1. There is no code in it, only these words."""

    kind: Literal["exact_match", "contains", "starts_with", "regex", "length", "json_valid", "number_close"] = Field(
        description="`exact_match`, `contains`, `starts_with`, `regex`, `length`, `json_valid` or `number_close`.",
        title="Kind",
    )
    column: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Column of the row to compare with; `answer` is the row's own answer.",
        title="Column",
    )
    text: str | None = Field(
        None, min_length=1, max_length=2000, description="Text to compare with, instead of a column.", title="Text"
    )
    pattern: str | None = Field(
        None, min_length=1, max_length=500, description="Regular expression that is to be found.", title="Pattern"
    )
    minimum: float | None = Field(None, description="`length`: fewest characters.", title="At least")
    maximum: float | None = Field(None, description="`length`: most characters.", title="At most")
    tolerance: float = Field(
        0.0, ge=0, description="`number_close`: greatest difference that still counts.", title="Tolerance"
    )
    keys: list[str] = Field(
        default_factory=list, max_length=50, description="`json_valid`: keys that the object must have.", title="Keys"
    )
    weight: float = Field(1.0, ge=-100, le=100, description="Points for it; below 0 it is a penalty.", title="Weight")

    @model_validator(mode="after")
    def _complete(self) -> RewardRule:
        compares = self.kind in ("exact_match", "contains", "starts_with", "number_close")
        if compares and (self.column is None) == (self.text is None):
            raise ValueError(f"{self.kind} needs column or text, one of them")
        if self.kind == "regex":
            _check_pattern(self.pattern)
        if self.kind == "length" and self.minimum is None and self.maximum is None:
            raise ValueError("length needs minimum, maximum or both")
        return self


MOST_REPEATS = 3
_FORBIDDEN = re.compile(r"\)[*+{]|[*+}][*+{]|\\[1-9]|\(\?(?:P=|[=!<(])")


def _check_pattern(pattern: str | None) -> None:
    """A pattern that compiles, and whose time cannot explode: no repeated group, no reference back, no look-around."""
    if pattern is None:
        raise ValueError("regex needs pattern")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"pattern is no regular expression: {error}") from None
    plain = re.sub(r"\\[^1-9]", "", pattern)  # an escaped sign repeats nothing
    if _FORBIDDEN.search(plain) or len(re.findall(r"[*+{]", re.sub(r"\[[^\]]*\]", "", plain))) > MOST_REPEATS:
        raise ValueError(
            f"pattern may not repeat a group, refer back, look around or repeat more than {MOST_REPEATS} times: "
            "it could take for ever"
        )


class GrpoSection(Section):
    """Group-relative policy optimisation (Shao et al. 2024): several answers to a question, and the better ones win."""

    rewards: list[RewardRule] = Field(
        default_factory=lambda: [RewardRule(kind="exact_match", column="answer")],
        min_length=1,
        max_length=20,
        description="Rules that give an answer its points; they are added up.",
        title="Rewards",
    )
    generations: int = Field(4, ge=2, le=128, description="Answers to each question.", title="Answers")
    max_new_tokens: int = Field(32, ge=1, le=4096, description="Longest answer, in tokens.", title="Longest answer")
    temperature: float = Field(1.0, gt=0, le=5, description="Higher tries more.", title="Temperature")
    top_p: float = Field(1.0, gt=0, le=1, description="Share of the likelihood that is drawn from.", title="Top p")
    beta: float = Field(0.0, ge=0, le=100, description="Penalty for leaving the base; 0 is off.", title="Beta")
    scale_rewards: bool = Field(
        True, description="Divide by the group's spread; off is Dr. GRPO's way.", title="Scale rewards"
    )


SECTIONS: dict[str, type[Section]] = {
    Objective.DPO: DpoSection,
    Objective.ORPO: OrpoSection,
    Objective.KTO: KtoSection,
    Objective.REWARD: RewardSection,
    Objective.GRPO: GrpoSection,
}
"""The section of the recipe that only one objective reads, by the objective (and key) of the same name."""


class MethodSection(Section):
    """What is optimised, and which weights change."""

    objective: Objective = Field(
        Objective.SFT,
        description="`sft`: the answers of the data; `cpt`: plain text; `dpo`, `orpo`: the better of two answers; `kto`: "
        "answers marked good or bad; `reward`: a model that scores answers; `grpo`: answers that rules reward.",
        title="Objective",
    )
    adapter: Adapter = Field(
        Adapter.LORA,
        description="`lora`: small matrices beside the frozen model; `qlora`: the same beside a model in four bits; "
        "`full`: every weight.",
        title="Adapter",
    )
    lora: LoraSection = Field(default_factory=LoraSection, description="Settings of the adapter.", title="LoRA")
    quantization: QuantizationSection | None = Field(
        None, description="How `qlora` keeps the base in four bits.", title="Quantisation"
    )
    dpo: DpoSection | None = Field(None, description="Settings of `dpo`.", title="DPO")
    orpo: OrpoSection | None = Field(None, description="Settings of `orpo`.", title="ORPO")
    kto: KtoSection | None = Field(None, description="Settings of `kto`.", title="KTO")
    reward: RewardSection | None = Field(None, description="Settings of `reward`.", title="Reward model")
    grpo: GrpoSection | None = Field(None, description="Settings of `grpo`.", title="GRPO")

    @model_validator(mode="after")
    def _sections_fit(self) -> MethodSection:
        for name, section in SECTIONS.items():
            if name == self.objective and getattr(self, name) is None:
                setattr(self, name, section())
            elif name != self.objective and getattr(self, name) is not None:
                raise ValueError(f"{name} holds settings of another objective; this one is {self.objective}")
        if self.adapter == Adapter.QLORA and self.quantization is None:
            self.quantization = QuantizationSection()
        if self.adapter != Adapter.QLORA and self.quantization is not None:
            raise ValueError(f"quantization is for adapter qlora; this one is {self.adapter}")
        return self


def stale_sections(objective: Any, adapter: Any) -> list[str]:
    """Keys of ``method`` that have no meaning once ``objective`` (or ``adapter``) is chosen; None leaves that side alone."""
    stale = [str(name) for name in SECTIONS if objective is not None and name != objective]
    return stale + (["quantization"] if adapter is not None and adapter != Adapter.QLORA else [])
