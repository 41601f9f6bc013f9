"""Every objective and adapter in a child process: one short run each, and what it tells, writes and goes on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.ml import preferences
from tests.ml import training_runs as runs
from tests.text.families import FAMILIES
from tunesmith.ml.failures import RunFailure
from tunesmith.ml.objectives import Texts, objective_of
from tunesmith.ml.objectives.orpo import log_odds
from tunesmith.ml.objectives.pairs import Answered, fit, tokenize_answer
from tunesmith.ml.objectives.rewards import points, score
from tunesmith.ml.policy import Policy, target_places
from tunesmith.text import IGNORED
from tunesmith.wire.methods import RewardRule
from tunesmith.wire.recipe_text import validate_recipe

FIGURES = {
    "sft": set(),
    "cpt": set(),
    "dpo": {"accuracy", "margin"},
    "orpo": {"accuracy", "margin"},
    "kto": {"accuracy", "reward_good", "reward_bad", "kl"},
    "reward": {"accuracy", "margin"},
    "grpo": {"reward", "answer_tokens"},
}
CELLS = [
    ("sft", "full"),
    ("sft", "qlora"),
    ("cpt", "lora"),
    ("dpo", "full"),
    ("dpo", "lora"),
    ("orpo", "lora"),
    ("kto", "lora"),
    ("reward", "lora"),
    ("grpo", "lora"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("rows")
    pairs = preferences.write_pairs(root / "pairs.jsonl")
    said = runs.write_rows(root / "said.jsonl", 12)
    marked = preferences.write(root / "marked.jsonl", preferences.labelled())
    texts = preferences.write(root / "texts.jsonl", preferences.texts())
    return {"sft": said, "cpt": texts, "dpo": pairs, "orpo": pairs, "kto": marked, "reward": pairs, "grpo": said}


def plan_of(folder: Path, objective: str, adapter: str, **training: Any) -> dict[str, Any]:
    plan = runs.recipe(folder, **{"max_steps": 4, "save_steps": 2, "batch_size": 4, "warmup_ratio": 0, **training})
    plan["method"] = {"objective": objective, "adapter": adapter, "lora": {"r": 4, "alpha": 8, "dropout": 0.1}}
    if objective == "grpo":
        rewards = [{"kind": "length", "maximum": 12}, {"kind": "contains", "text": "a"}]
        plan["method"]["grpo"] = {"max_new_tokens": 6, "generations": 2, "rewards": rewards}
    return plan


@pytest.fixture(scope="module", params=CELLS, ids="-".join)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, folder: Path, files: dict[str, Path]
) -> tuple[str, str, runs.RunDirectory, Any]:
    """One run of a cell to its end."""
    objective, adapter = request.param
    job, file = tmp_path_factory.mktemp(f"{objective}-{adapter}"), files[objective]
    run = runs.new_attempt(job, 1, folder, plan_of(folder, objective, adapter), file, validation_file=file)
    return objective, adapter, run, runs.train(run)


def test_tells_its_own_measures(made: tuple[str, str, runs.RunDirectory, Any]) -> None:
    objective, _, run, end = made
    assert end.result["steps"] == 4
    assert list(runs.curve(run)) == [1, 2, 3, 4]
    assert FIGURES[objective] <= set(end.result["measures"])
    for name in FIGURES[objective]:
        assert 4 in runs.curve(run, f"eval_{name}")
    if objective not in ("grpo", "kto"):
        evaluated = runs.curve(run, "eval_loss")
        assert evaluated[4] < evaluated[2]


def test_result_is_what_was_trained(made: tuple[str, str, runs.RunDirectory, Any]) -> None:
    from tunesmith.ml.checkpoint import weights_sha256

    _, adapter, run, end = made
    name, file = ("model", "model.safetensors") if adapter == "full" else ("adapter", "adapter_model.safetensors")
    assert [p.name for p in run.artifacts.iterdir() if p.is_dir()] == [name]
    assert end.result["weights_sha256"] == weights_sha256(load_file(run.artifacts / name / file))
    assert (run.artifacts / name / "chat_template.jinja").is_file()


def test_goes_on_exactly(
    made: tuple[str, str, runs.RunDirectory, Any], tmp_path: Path, folder: Path, files: dict[str, Path]
) -> None:
    """From the checkpoint in the middle: the same losses, figures and bytes as the run that nobody disturbed."""
    objective, adapter, run, end = made
    if (objective, adapter) not in (
        ("dpo", "lora"),
        ("sft", "full"),
        ("sft", "qlora"),
        ("grpo", "lora"),
        ("kto", "lora"),
    ):
        return
    plan = json.loads(run.spec_file.read_text())["recipe"]
    middle = run.checkpoints / "step-000002"
    copy = tmp_path / "attempts" / "1" / "checkpoints" / middle.name
    copy.parent.mkdir(parents=True)
    middle.rename(copy)
    again = runs.new_attempt(
        tmp_path, 2, folder, plan, files[objective], validation_file=files[objective], resume_from=copy
    )
    resumed = runs.train(again).result
    assert min(runs.curve(again)) == 3
    assert runs.curve(again) == {step: loss for step, loss in runs.curve(run).items() if step > 2}
    for name in ("weights_sha256", "eval_loss", "measures", "trained_tokens"):
        assert resumed[name] == end.result[name], name


@pytest.mark.parametrize(("mode", "best"), [("auto", max), ("min", min)])
def test_the_best_is_what_the_recipe_says(
    mode: str, best: Any, folder: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    plan = plan_of(folder, "dpo", "lora", max_steps=3, save_steps=1, metric_for_best="eval_margin", metric_mode=mode)
    plan["data"]["validation"] = "./held-out.jsonl"
    run = runs.new_attempt(tmp_path, 1, folder, plan, files["dpo"], validation_file=files["dpo"])
    end = runs.train(run)
    margins = runs.curve(run, "eval_margin")
    assert len(set(margins.values())) == 3
    wanted = best(margins, key=lambda step: margins[step])
    assert end.result["checkpoint"].endswith(f"step-{wanted:06d}")


@pytest.mark.filterwarnings("ignore")  # PEFT asks transformers by a deprecated name
def test_four_bits_are_really_four_bits(folder: Path) -> None:
    from tunesmith.ml.build import build_model

    plan = plan_of(folder, "sft", "qlora")
    plan["method"]["quantization"] = {"type": "fp4", "double": False, "compute_dtype": "fp32"}
    recipe = validate_recipe(plan)
    model, trained = build_model(recipe, folder, head="words", compute=None, device=torch.device("cpu"), pad_id=0)
    weights = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj.base_layer").weight
    assert weights.dtype is torch.uint8
    assert weights.quant_state.quant_type == "fp4"
    assert {tensor.dtype for tensor in trained.published().values()} == {torch.float32}


@pytest.mark.filterwarnings("ignore")  # PEFT asks transformers by a deprecated name
def test_four_bits_are_never_packed_anew_for_a_processor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one with bfloat16 instructions a forward pass in evaluation did that, and gradients ended there ever after."""
    from bitsandbytes.nn import modules

    from tunesmith.ml.build import build_model

    monkeypatch.setattr(modules, "has_avx512bf16", lambda: True)
    recipe = validate_recipe(plan_of(folder, "sft", "qlora"))
    model, _ = build_model(recipe, folder, head="words", compute=None, device=torch.device("cpu"), pad_id=0)
    ids = torch.arange(8)[None]
    with torch.no_grad():
        model.eval()(input_ids=ids)
    lowest = model.get_submodule("base_model.model.model.layers.0.mlp.up_proj")
    assert not getattr(lowest.base_layer.weight.quant_state, "packing_format_for_cpu", False)
    model.train()(input_ids=ids, labels=ids).loss.backward()
    assert lowest.lora_B["default"].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("objective", "rows", "words"),
    [
        ("dpo", [{**row, "rejected": row["chosen"]} for row in preferences.pairs(3)], "two different answers"),
        ("kto", [{**row, "label": True} for row in preferences.labelled(3)], "all 3 answers .* good"),
        ("cpt", [{"text": " "}], "nothing to learn"),
        ("grpo", [{"messages": [{"role": "user", "content": "x"}]}], "nothing to ask"),
    ],
)
def test_rows_with_nothing_to_learn_are_told(
    objective: str, rows: list[dict[str, Any]], words: str, folder: Path, tmp_path: Path
) -> None:
    reader = objective_of(validate_recipe(plan_of(folder, objective, "lora")), Texts(folder))
    file = preferences.write(tmp_path / "rows.jsonl", rows)
    with pytest.raises(RunFailure, match=f"(?i){words}"):
        reader.check(reader.read(file, lambda *_: None), file.name)


def test_what_is_only_evaluated_may_have_one_label(folder: Path, files: dict[str, Path], tmp_path: Path) -> None:
    held_out = preferences.write(
        tmp_path / "held-out.jsonl", [{**row, "label": True} for row in preferences.labelled(3)]
    )
    plan = plan_of(folder, "kto", "lora", max_steps=1)
    run = runs.new_attempt(tmp_path, 1, folder, plan, files["kto"], validation_file=held_out)
    measured = runs.train(run).result["measures"]
    assert 0 <= measured["accuracy"] <= 1
    assert "reward_bad" not in measured


def test_rows_that_are_cut_are_counted(folder: Path, files: dict[str, Path]) -> None:
    for objective in ("dpo", "kto", "reward", "grpo"):
        for max_length, is_cut in ((512, False), (16, True)):
            plan = plan_of(folder, objective, "lora", max_length=max_length)
            rows = objective_of(validate_recipe(plan), Texts(folder)).read(files[objective], lambda *_: None)
            assert (rows.cut > 0) == is_cut, (objective, max_length, rows.cut)


def test_answers_are_as_likely_as_they_were_drawn(folder: Path, files: dict[str, Path]) -> None:
    """At a temperature the logits are divided by it: the policy's and the reference's."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    reader = objective_of(validate_recipe(plan_of(folder, "dpo", "full")), Texts(folder))
    batch = reader.read(files["dpo"], lambda *_: None).collate([{"sequence": 0}])
    policy = Policy(model, None, needs_reference=True)
    places = target_places(batch["targets"])
    logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
    targets = batch["targets"][:, places]
    wanted = torch.log_softmax(logits[:, places] / 2, -1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    wanted = wanted * (targets != IGNORED)
    for found in (policy.token_log_probs(batch, 2.0), policy.reference_token_log_probs(batch, 2.0)):
        assert torch.allclose(found, wanted, atol=1e-4)


def test_without_held_out_rows_less_loss_is_better_and_a_policy_gradient_says_nothing(
    folder: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    for number, objective in enumerate(("dpo", "grpo"), 1):
        settings = {"max_steps": 3, "save_steps": 1, "learning_rate": 2e-2, "metric_mode": "max"}
        run = runs.new_attempt(
            tmp_path, number, folder, plan_of(folder, objective, "lora", **settings), files[objective]
        )
        end, losses = runs.train(run), runs.curve(run)
        best = min(losses, key=lambda step: losses[step]) if objective == "dpo" else 3
        assert end.result["checkpoint"].endswith(f"step-{best:06d}"), (objective, losses)


def test_a_reward_names_the_columns_that_there_are(folder: Path, tmp_path: Path) -> None:
    plan = plan_of(folder, "grpo", "lora")
    plan["method"]["grpo"]["rewards"] = [{"kind": "exact_match", "column": "wanted"}]
    file = runs.write_rows(tmp_path / "rows.jsonl", 3)
    with pytest.raises(RunFailure) as refused:
        objective_of(validate_recipe(plan), Texts(folder)).read(file, lambda *_: None)
    assert "wanted" in refused.value.message
    assert "answer" in refused.value.hint


def test_only_the_last_answer_of_a_dialogue_is_compared(folder: Path) -> None:
    texts = Texts(folder)
    row = preferences.pairs(1)[0]
    answered = tokenize_answer(row["prompt"], row["chosen"], texts)
    assert (
        texts.tokenizer.decode(answered.ids[answered.start :], skip_special_tokens=False) == "lighthouse yes<|im_end|>"
    )
    prompt = texts.template.render(row["prompt"], add_generation_prompt=True)
    assert answered.ids[: answered.start] == texts.tokenizer.encode(prompt).ids


def test_the_tools_of_a_pair_stand_in_its_prompt(tmp_path: Path) -> None:
    family = FAMILIES["qwen3"]
    texts = Texts(family.save(tmp_path / "model"))
    tools = [{"type": "function", "function": {"name": "ferry", "parameters": {}}}]
    row = {**preferences.pairs(1)[0], "tools": tools}
    file = preferences.write(tmp_path / "rows.jsonl", [row])
    for objective in ("dpo", "kto"):
        recipe = validate_recipe(plan_of(tmp_path, objective, "lora", max_length=4096))
        examples = objective_of(recipe, texts).read(file, lambda *_: None)
        ids = examples.collate([{"sequence": 0}])["input_ids"][0].tolist()
        said = texts.tokenizer.decode(ids, skip_special_tokens=False)
        assert '"name": "ferry"' in said, objective


def test_long_rows_keep_the_beginning_of_the_answer() -> None:
    long_prompt, long_answer = Answered(list(range(100)), 90), Answered(list(range(100)), 10)
    (kept,), cut = fit([long_prompt], 40)
    assert cut
    assert (kept.ids, kept.start) == (list(range(60, 100)), 30)
    (kept,), cut = fit([long_answer], 40)
    assert cut
    assert (kept.ids, kept.start) == (list(range(40)), 10)
    both, cut = fit([Answered(list(range(100)), 50), Answered(list(range(60)), 50)], 40)
    assert cut
    assert [(answer.ids[: answer.start], len(answer)) for answer in both] == [
        (list(range(30, 50)), 40),
        (list(range(30, 50)), 30),
    ]
    assert fit([Answered(list(range(8)), 4)], 8) == ([Answered(list(range(8)), 4)], False)


def test_a_long_text_is_divided_and_nothing_is_lost(folder: Path, tmp_path: Path) -> None:
    from tunesmith.ml.rows import tokenize_texts

    tokenizer = Texts(folder).tokenizer
    text = "The lighthouse keeper 등대지기 counts ships. " * 20
    file = preferences.write(tmp_path / "texts.jsonl", [{"text": text}, {"text": "배"}])
    rows = tokenize_texts(file, tokenizer, 32)
    ids = tokenizer.encode(text + tokenizer.eos_token).ids
    learnt = [target for i in range(len(rows)) for target in rows.document(i)[1].tolist() if target >= 0]
    assert learnt == ids[1:] + tokenizer.encode("배" + tokenizer.eos_token).ids[1:]
    assert rows.divided == 1
    assert int(rows.trained.sum()) == len(learnt)


def test_odds_are_finite_at_both_ends() -> None:
    log_probs = torch.tensor([-1e-9, -1e-4, -0.7, -50.0], requires_grad=True)
    odds = log_odds(log_probs)
    odds.sum().backward()
    assert torch.isfinite(odds).all()
    assert torch.isfinite(log_probs.grad).all()
    assert float(odds[2].detach()) == pytest.approx(-0.0137, abs=1e-3)


@pytest.mark.parametrize(
    ("rule", "answer", "found"),
    [
        ({"kind": "exact_match", "column": "answer"}, " 12,800원. ", 1),
        ({"kind": "exact_match", "column": "answer"}, "12,801원", 0),
        ({"kind": "exact_match", "column": "elsewhere"}, "12,800원", 0),
        ({"kind": "contains", "text": "Paris"}, "it is paris!", 1),
        ({"kind": "starts_with", "text": "네"}, "네, 그렇습니다", 1),
        ({"kind": "regex", "pattern": r"^\d{2}:\d{2}$"}, "07:45", 1),
        ({"kind": "regex", "pattern": r"^\d{2}:\d{2}$"}, "at 07:45", 0),
        ({"kind": "length", "minimum": 2, "maximum": 5}, "three", 1),
        ({"kind": "length", "maximum": 4}, "three", 0),
        ({"kind": "json_valid", "keys": ["a"]}, '{"a": 1}', 1),
        ({"kind": "json_valid", "keys": ["a"]}, '["a"]', 0),
        ({"kind": "json_valid"}, "{", 0),
        ({"kind": "number_close", "column": "answer", "tolerance": 10}, "about 12,795 won", 1),
        ({"kind": "number_close", "text": "7"}, "no number", 0),
    ],
)
def test_rules_give_points(rule: dict[str, Any], answer: str, found: float) -> None:
    assert score(RewardRule.model_validate(rule), answer, {"answer": "12,800원"}) == found


def test_points_are_weighted() -> None:
    rules = [RewardRule(kind="contains", text="a", weight=2), RewardRule(kind="length", maximum=1, weight=-0.5)]
    assert points(rules, "a", {}) == 1.5


@pytest.mark.parametrize("pattern", ["(a+)+$", "(", r"(a)\1", "(?=a)b", "a*b*c*d*", None])
def test_patterns_that_may_take_for_ever_are_refused(pattern: str | None) -> None:
    with pytest.raises(ValueError, match="pattern"):
        RewardRule(kind="regex", pattern=pattern)
