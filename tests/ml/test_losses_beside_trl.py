"""Our preference losses on TRL's own batches: the same number as TRL's own trainers compute, to 1e-5."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.ml import training_runs as runs
from tunesmith.ml.load import load_tokenizer, load_weights
from tunesmith.ml.objectives import Objective, Texts, objective_of
from tunesmith.ml.objectives.objective import add_counts, mean_loss
from tunesmith.ml.policy import Batch, Policy
from tunesmith.text import IGNORED
from tunesmith.wire.recipe_text import validate_recipe

PAIRS = {
    "prompt": ["Say lighthouse", "배를 불러", "again and again and again", "night"],
    "chosen": [" lighthouse", " 배가 온다", " return", " 오늘 밤"],
    "rejected": [" ship ship ship", " 아니", " no, not again", " café"],
}
LABELLED = {
    "prompt": [*PAIRS["prompt"], *PAIRS["prompt"]],
    "completion": [*PAIRS["chosen"], *PAIRS["rejected"]],
    "label": [True] * 4 + [False] * 4,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def ours(folder: Path, objective: str, **settings: Any) -> Objective:
    plan = runs.recipe(folder) | {"method": {"objective": objective, objective: settings}}
    return objective_of(validate_recipe(plan), Texts(folder))


def moved(model: Any) -> Any:
    """The same model a little further on, so that it differs from its reference."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    return model


def as_ours(ids: torch.Tensor, seen: torch.Tensor, answer: torch.Tensor) -> Batch:
    """TRL's tensors in our shape; padding may be on either side."""
    targets = torch.full_like(ids, IGNORED)
    targets[:, :-1] = torch.where((answer[:, 1:] * seen[:, 1:]).bool(), ids[:, 1:], IGNORED)
    positions = (seen.cumsum(-1) - 1).clamp(min=0) * seen
    return {"input_ids": ids, "position_ids": positions, "targets": targets}


def settings_of(trainer: str, tmp_path: Path, **more: Any) -> dict[str, Any]:
    names = {"output_dir": str(tmp_path / trainer), "report_to": "none", "use_cpu": True, "max_length": 64}
    return names | {"per_device_train_batch_size": 8, "gradient_checkpointing": False, "bf16": False, **more}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("loss", "smoothing"),
    [
        ("sigmoid", 0.0),
        ("ipo", 0.0),
        ("hinge", 0.0),
        ("robust", 0.1),
        ("sigmoid_norm", 0.0),
        ("apo_zero", 0.0),
        ("apo_down", 0.0),
        ("exo_pair", 0.1),
        ("nca_pair", 0.0),
    ],
)
def test_dpo(loss: str, smoothing: float, dpo: tuple[Any, Batch, Policy], folder: Path) -> None:
    trainer, batch, policy = dpo
    trainer.loss_types, trainer.loss_weights, trainer.label_smoothing = [loss], [1.0], smoothing
    theirs = trainer.compute_loss(trainer.model, batch)
    own = as_ours(batch["input_ids"], batch["attention_mask"], batch["completion_mask"])
    outcome = ours(folder, "dpo", loss=loss, beta=0.3, label_smoothing=smoothing).outcome(policy, own)
    assert float(mean_loss(outcome, {"pairs": 4})) == pytest.approx(float(theirs), abs=1e-5)


@pytest.fixture(scope="module")
def dpo(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Batch, Policy]:
    """TRL's trainer with a reference, one batch of it, and our policy around the same model."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    model = load_weights(folder, torch.float32).eval()
    policy = Policy(model, None, needs_reference=True)
    trainer = DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=DPOConfig(**settings_of("dpo", tmp_path_factory.mktemp("trl"), beta=0.3)),
        train_dataset=Dataset.from_dict(PAIRS),
        processing_class=load_tokenizer(folder),
    )
    moved(model)
    return trainer, next(iter(trainer.get_train_dataloader())), policy


@pytest.mark.filterwarnings("ignore")
def test_kto(folder: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer

    model = load_weights(folder, torch.float32).eval()
    policy = Policy(model, None, needs_reference=True)
    trainer = KTOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=KTOConfig(**settings_of("kto", tmp_path, beta=0.3, desirable_weight=1.0, undesirable_weight=1.5)),
        train_dataset=Dataset.from_dict(LABELLED),
        processing_class=load_tokenizer(folder),
    )
    moved(model)
    batch = next(iter(trainer.get_train_dataloader()))
    theirs = trainer.compute_loss(trainer.model, batch)
    own = as_ours(batch["input_ids"], batch["attention_mask"], batch["completion_mask"])
    stranger = as_ours(batch["KL_input_ids"], batch["KL_attention_mask"], batch["KL_completion_mask"])
    own |= {f"stranger_{name}": value for name, value in stranger.items()}
    own["good"] = torch.as_tensor(batch["label"], dtype=torch.bool)
    outcome = ours(folder, "kto", beta=0.3, undesirable_weight=1.5).outcome(policy, own)
    assert float(mean_loss(outcome, {"rows": 8})) == pytest.approx(float(theirs), abs=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_orpo(folder: Path, tmp_path: Path) -> None:
    """The odds term is TRL's; the answer's loss is over the answer, as in the paper (TRL takes the prompt with it)."""
    from datasets import Dataset
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    model = moved(load_weights(folder, torch.float32).eval())
    trainer = ORPOTrainer(
        model=model,
        args=ORPOConfig(**settings_of("orpo", tmp_path, beta=0.3)),
        train_dataset=Dataset.from_dict(PAIRS),
        processing_class=load_tokenizer(folder),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    chosen, rejected, logits, *_ = trainer.concatenated_forward(model, batch)
    odds = trainer.odds_ratio_loss(chosen, rejected)[0]
    width = batch["chosen_labels"].shape[1]
    answer = F.cross_entropy(logits[:, : width - 1].transpose(1, 2).float(), batch["chosen_labels"][:, 1:])
    sides = [as_ours_padded(batch, side) for side in ("chosen", "rejected")]
    longest = max(side["input_ids"].shape[1] for side in sides)
    own = {name: torch.cat([_wide(side[name], longest, fill) for side in sides]) for name, fill in _FILL.items()}
    counts = {"pairs": 4, "chosen_tokens": int((own["targets"][:4] != IGNORED).sum())}
    outcome = ours(folder, "orpo", beta=0.3).outcome(Policy(model, None), own)
    assert float(mean_loss(outcome, counts)) == pytest.approx(float(answer - odds.mean()), abs=1e-5)


_FILL = {"input_ids": 0, "position_ids": 0, "targets": IGNORED}


def _wide(tensor: torch.Tensor, width: int, fill: int) -> torch.Tensor:
    return F.pad(tensor, (0, width - tensor.shape[1]), value=fill)


def as_ours_padded(batch: Batch, side: str) -> Batch:
    """One side of ORPO's batch."""
    answer = (batch[f"{side}_labels"] != IGNORED).long()
    return as_ours(batch[f"{side}_input_ids"], batch[f"{side}_attention_mask"], answer)


def test_accumulated_batches_are_one_large_batch(folder: Path, tmp_path: Path) -> None:
    """The loss of two halves, each divided by the counts of both, adds up to the loss of the whole."""
    from tests.ml.preferences import write_pairs

    for name in ("dpo", "orpo", "reward"):
        objective = ours(folder, name)
        examples = objective.read(write_pairs(tmp_path / "pairs.jsonl", 8), lambda *_: None)
        policy = _policy(folder, objective)
        whole = examples.collate({"sequence": i} for i in range(len(examples)))
        middle = len(examples) // 2
        halves = [
            examples.collate({"sequence": i} for i in part) for part in (range(middle), range(middle, len(examples)))
        ]
        counts = add_counts(halves)
        assert counts == whole["counts"]
        parts = sum(float(mean_loss(objective.outcome(policy, half), counts)) for half in halves)
        assert parts == pytest.approx(float(mean_loss(objective.outcome(policy, whole), counts)), abs=1e-5)


def _policy(folder: Path, objective: Objective) -> Policy:
    from tunesmith.ml.load import load_scorer

    torch.manual_seed(1)
    load = load_scorer if objective.head == "score" else load_weights
    model = load(folder, torch.float32).eval()
    policy = Policy(model, None, needs_reference=objective.needs_reference)
    moved(model)
    return policy
