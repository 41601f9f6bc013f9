"""Real chat templates: our masks are the labels that TRL's collator yields, token for token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ml.tiny_models import save_model
from tests.text.families import FAMILIES, MULTIPLE, SINGLE, SIX, Family
from tunesmith.text import ChatTemplate, TextTokenizer, tokenize_row

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # TRL asks transformers by a deprecated name
SHIPPED_BY_TRL = ("llama3", "gemma", "phi3", "qwen3", "qwen2_5")
PATCHED_TEXT_IS_THE_SAME = ("llama3", "gemma", "phi3")
"""TRL adds markers to these templates and nothing else; its Qwen 3 also shows thoughts that the original drops."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(save_model(tmp_path_factory.mktemp("models") / "tiny", "llama"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("families")
    return lambda family: root / family.name if (root / family.name).exists() else family.save(root / family.name)


def trl_labels(
    model: Any, folder: Path, rows: list[dict[str, Any]], out: Path, **options: Any
) -> list[tuple[list[int], list[int]]]:
    """(ids, labels) of each row, as the collator of TRL's SFT trainer hands them to the model."""
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(output_dir=str(out), report_to=[], use_cpu=True, max_length=None, bf16=False, **options)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    trainer = SFTTrainer(model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    made = []
    for example in trainer.train_dataset:
        batch = trainer.data_collator([example])
        made.append((batch["input_ids"][0].tolist(), batch["labels"][0].tolist()))
    return made


@pytest.mark.parametrize("name", SHIPPED_BY_TRL)
def test_the_templates_are_those_that_are_published(name: str) -> None:
    import trl

    shipped = Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja"
    assert FAMILIES[name].source == shipped.read_bytes().decode()


@pytest.mark.parametrize("name", [*SIX, "qwen2_5"])
def test_the_last_answer_carries_the_loss_that_trl_gives_a_completion(
    name: str, model: Any, folder: Any, tmp_path: Path
) -> None:
    family: Family = FAMILIES[name]
    tokenizer, template = family.load(folder(family))
    rows = [{"prompt": row[:-1], "completion": row[-1:]} for row in SINGLE]
    expected = trl_labels(model, folder(family), rows, tmp_path)
    for row, (ids, labels) in zip(SINGLE, expected, strict=True):
        ours = tokenize_row(row, tokenizer, template)
        assert (ours.input_ids, ours.labels) == (ids, labels)
        assert ours.end_of_turn_trained


@pytest.mark.parametrize("name", PATCHED_TEXT_IS_THE_SAME)
def test_every_answer_carries_the_loss_that_trl_gives_assistants(
    name: str, model: Any, folder: Any, tmp_path: Path
) -> None:
    """TRL puts its own markers into the template; we find the same tokens in the template as it is."""
    family = FAMILIES[name]
    tokenizer, template = family.load(folder(family))
    assert not template.has_generation_markers
    rows = [{"messages": row} for row in [*SINGLE, *MULTIPLE]]
    expected = trl_labels(model, folder(family), rows, tmp_path, assistant_only_loss=True)
    for row, (ids, labels) in zip(rows, expected, strict=True):
        ours = tokenize_row(row, tokenizer, template)
        assert (ours.input_ids, ours.labels) == (ids, labels)


@pytest.mark.parametrize("name", ["qwen3", "qwen2_5"])
def test_markers_are_read_as_trl_reads_them(name: str, model: Any, folder: Any, tmp_path: Path) -> None:
    import trl

    patched = (Path(trl.__file__).parent / "chat_templates" / f"{name}_training.jinja").read_bytes().decode()
    tokenizer = TextTokenizer.from_folder(folder(FAMILIES[name]))
    rows = [{"messages": row} for row in MULTIPLE]
    expected = trl_labels(model, folder(FAMILIES[name]), rows, tmp_path, assistant_only_loss=True)
    for row, (ids, labels) in zip(rows, expected, strict=True):
        ours = tokenize_row(row, tokenizer, ChatTemplate(patched, {"eos_token": "<|im_end|>"}))
        assert (ours.input_ids, ours.labels) == (ids, labels)
