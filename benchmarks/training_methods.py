"""Does each objective learn, and only from what it should? `python -m benchmarks.training_methods [--only dpo kto] [--adapters lora]`

For each objective a run on nine tenths of the example data with the recipe that ships for it, and a measure of each held-out item
before and after; the gain is a mean with a 95 % bootstrap interval (10,000 resamples). The control is the same run on data that
teaches nothing true, and must not gain:

| objective | measure of a held-out item | control |
| --- | --- | --- |
| sft | exact answer to a question that is worded anew | answers dealt out anew among the rows |
| cpt | whether a true sentence is likelier than the same with another value | values dealt out anew among the sentences |
| dpo, kto | the better answer gains more over the base (before: 0.5) | better and worse swapped |
| orpo | the better answer is likelier by token | better and worse swapped |
| reward | the better answer scores higher (before: 0.5) | better and worse swapped |
| grpo | points of the greedy answer | points with their sign turned |

What was measured goes into docs/reference/training-methods.md, a line for each objective and adapter; the other lines stay.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import random
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.training_capabilities import EXAMPLES, FILES, LIBRARIES, device_name, run
from tools.base_text.example_domain import facts
from tools.base_text.preferences import SENTENCES
from tunesmith.domains.datasets.formats import DataFormat, to_example
from tunesmith.domains.models import bundled_folder
from tunesmith.ml.build import build_model
from tunesmith.ml.objectives import Texts, objective_of
from tunesmith.ml.objectives.pairs import Answered, Lines, read_pairs
from tunesmith.ml.policy import Policy
from tunesmith.text import IGNORED
from tunesmith.wire.events import Finished
from tunesmith.wire.methods import FORMATS, Adapter, Objective
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import read_recipe, validate_recipe

RESAMPLES = 10_000
PAGE = Path(__file__).parents[1] / "docs/reference/training-methods.md"
QUESTIONS = 60
Rows = list[dict[str, Any]]
Measure = Callable[[Recipe, Policy | None], np.ndarray[Any, Any]]


def rows_of(objective: str) -> tuple[Rows, Rows]:
    """Nine tenths to train on and one to measure, in the shape that the objective reads; dealt by question, not by row."""
    fmt = "preference" if objective == Objective.KTO else FORMATS[objective][0]
    lines = (EXAMPLES / FILES[fmt]).read_text(encoding="utf-8").splitlines()
    rows = [to_example(json.loads(line), DataFormat(fmt)) for line in lines]
    random.Random(3).shuffle(rows)
    cut = len(rows) // 10
    return rows[cut:], rows[:cut]


def control_of(objective: str, rows: Rows) -> Rows:
    """The same rows, teaching nothing true."""
    chance = random.Random(4)
    if objective in (Objective.DPO, Objective.ORPO, Objective.KTO, Objective.REWARD):
        return [row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in rows]
    if objective == Objective.SFT:
        answers = [row["messages"][-1] for row in rows]
        chance.shuffle(answers)
        return [{"messages": [*row["messages"][:-1], answer]} for row, answer in zip(rows, answers, strict=True)]
    if objective == Objective.CPT:
        dealt = _dealt_anew(chance)
        pattern = re.compile("|".join(sorted(map(re.escape, dealt), key=len, reverse=True)))
        return [{"text": pattern.sub(lambda found: dealt[found[0]], row["text"])} for row in rows]
    return rows


def _dealt_anew(chance: random.Random) -> dict[str, str]:
    """Each true sentence of the domain with the value of another one of its kind."""
    dealt = {}
    for true, false in sentences(chance):
        dealt[true] = false
    return dealt


def sentences(chance: random.Random) -> list[tuple[str, str]]:
    """Sentences that are true, each beside the same with another value."""
    pairs = []
    for place, language in enumerate(("en", "ko")):
        for _, attribute, names, answers in facts():
            others = sorted({a[language] for _, kind, _, a in facts() if kind == attribute} - {answers[language]})
            if others:
                words = SENTENCES[attribute][place]
                pairs.append(
                    (
                        words.format(n=names[language], a=answers[language]),
                        words.format(n=names[language], a=chance.choice(others)),
                    )
                )
    return pairs


def measure_of(objective: str, held_out: Rows, folder: Path) -> Measure:
    """How a policy does on each held-out item; ``None`` stands for the base."""
    texts = Texts(bundled_folder())
    file = folder / "held_out.jsonl"
    if objective in (Objective.SFT, Objective.GRPO):
        lines = (EXAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()[:QUESTIONS]
        held_out = [json.loads(line) for line in lines]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in held_out), encoding="utf-8")

    def pairs(recipe: Recipe, policy: Policy | None) -> np.ndarray[Any, Any]:
        examples = read_pairs(file, texts, 256, lambda *_: None)
        if policy is None and objective != Objective.ORPO:
            return np.full(len(examples), 0.5)
        policy = policy or base_policy(recipe)
        margins = []
        for at in range(0, len(examples), 16):
            numbers = range(at, min(at + 16, len(examples)))
            batch = examples.collate({"sequence": number} for number in numbers)
            margins.append(_advantage(objective, policy, batch))
        return np.sign(np.concatenate(margins)) / 2 + 0.5

    def answers(recipe: Recipe, policy: Policy | None) -> np.ndarray[Any, Any]:
        plan = recipe.to_plain()
        rules = [{"kind": "exact_match", "column": "answer"}]
        if objective == Objective.GRPO:
            rules = [rule | {"weight": abs(rule["weight"])} for rule in plan["method"]["grpo"]["rewards"]]
        plan["method"] = {"objective": "grpo", "grpo": {"max_new_tokens": 16, "rewards": rules}}
        asking = objective_of(validate_recipe(plan), texts)
        questions = asking.read(file, lambda *_: None)
        batch = questions.collate({"sequence": number} for number in range(len(questions)))
        asking.prepare(policy or base_policy(recipe), [batch], -1)
        return batch["rewards"].numpy()

    def truths(recipe: Recipe, policy: Policy | None) -> np.ndarray[Any, Any]:
        policy = policy or base_policy(recipe)
        right = []
        for true, false in sentences(random.Random(9)):
            sums = [_text_log_prob(policy, texts, text) for text in (true, false)]
            right.append(float(sums[0] > sums[1]))
        return np.array(right)

    return {Objective.CPT: truths, Objective.SFT: answers, Objective.GRPO: answers}.get(Objective(objective), pairs)


def _advantage(objective: str, policy: Policy, batch: dict[str, Any]) -> np.ndarray[Any, Any]:
    with torch.no_grad(), policy.evaluating():
        if objective == Objective.REWARD:
            values = policy.scores(batch)
        elif objective == Objective.ORPO:
            values = policy.log_probs(batch) / (batch["targets"] != IGNORED).sum(-1)
        else:
            values = policy.log_probs_gained(batch)
        chosen, rejected = values.chunk(2)
        return (chosen - rejected).numpy()


def _text_log_prob(policy: Policy, texts: Texts, text: str) -> float:
    ids = texts.tokenizer.encode(text).ids
    batch = Lines([Answered(ids, 1)]).tensors([0], texts.pad_id)
    with torch.no_grad(), policy.evaluating():
        return float(policy.log_probs(batch))


def base_policy(recipe: Recipe) -> Policy:
    """The base, as a policy."""
    return _policy(recipe, None)


def _policy(recipe: Recipe, checkpoint: Path | None) -> Policy:
    texts = Texts(bundled_folder())
    objective = objective_of(recipe, texts)
    torch.manual_seed(recipe.seed)
    model, trained = build_model(
        recipe, bundled_folder(), head=objective.head, compute=None, device=torch.device("cpu"), pad_id=texts.pad_id
    )
    policy = Policy(model, None, needs_reference=objective.needs_reference)
    if checkpoint is not None:
        trained.load(checkpoint)
    return policy


def learn(recipe: Recipe, rows: Rows, folder: Path) -> Policy:
    """Train on the rows; the policy that came of it."""
    file = folder / "train.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    spec = {"recipe": recipe.to_plain(), "model_path": str(bundled_folder()), "train_file": str(file)}
    shutil.rmtree(folder / "job", ignore_errors=True)
    end = run(folder / "job", 1, spec)
    if not isinstance(end, Finished):
        raise SystemExit(f"{recipe.name}: {end.message if end else 'no word'}")
    return _policy(recipe, folder / "job" / "attempts" / end.result["checkpoint"])


def gain(after: np.ndarray[Any, Any], before: np.ndarray[Any, Any]) -> dict[str, float]:
    """Mean of the items' gains with its 95 % bootstrap interval."""
    gains = after - before
    chance = np.random.default_rng(5)
    means = gains[chance.integers(0, len(gains), (RESAMPLES, len(gains)))].mean(-1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {"value": float(gains.mean()), "low": float(low), "high": float(high), "n": len(gains)}


def examine(objective: str, adapter: str, steps: int | None, folder: Path) -> dict[str, Any]:
    """Gain and control of one objective."""
    recipe = read_recipe(EXAMPLES.parents[1] / "recipes" / f"tiny-{objective}-{adapter}.yaml")
    recipe.training.precision = "fp32"  # type: ignore[assignment]
    recipe.training.max_steps = steps or recipe.training.max_steps
    train, held_out = rows_of(objective)
    measure = measure_of(objective, held_out, folder)
    before = measure(recipe, None)
    after = measure(recipe, learn(recipe, train, folder))
    control_recipe = recipe.model_copy(deep=True)
    if control_recipe.method.grpo:
        for rule in control_recipe.method.grpo.rewards:
            rule.weight = -rule.weight
    control = measure(recipe, learn(control_recipe, control_of(objective, train), folder))
    found = {"objective": objective, "adapter": adapter, "steps": recipe.training.max_steps}
    found |= {"before": float(before.mean()), "after": float(after.mean()), "gain": gain(after, before)}
    found["control"] = gain(control, before)
    found["learns"] = found["gain"]["low"] > 0 and found["control"]["low"] <= 0
    return found


def line_of(found: dict[str, Any]) -> str:
    """A row of the page."""

    def interval(gain: dict[str, float]) -> str:
        return f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"

    cells = [found["objective"], found["adapter"], str(found["steps"]), str(found["gain"]["n"])]
    cells += [f"{found['before']:.3f}", f"{found['after']:.3f}", interval(found["gain"]), interval(found["control"])]
    cells += ["yes" if found["learns"] else "**no**", datetime.now(UTC).date().isoformat()]
    return f"| {' | '.join(cells)} |"


def write_page(line: str) -> None:
    """Put the row into the page in place of the one of the same objective and adapter."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    known = [row for row in text.splitlines() if row.split(" | ")[0].removeprefix("| ") in set(Objective)]
    rows = {tuple(row.split(" | ")[:2]): row for row in [*known, line]}
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    head = (
        "<!-- Written by benchmarks/training_methods.py; do not edit. -->\n\n# What each method learns\n\n"
        "Each recipe of `recipes/` on nine tenths of the example data, and a measure of the held-out tenth before and after: "
        "`python -m benchmarks.training_methods`, which says what is measured. Gains are means with a 95 % bootstrap interval; the "
        "control is the same run on data that teaches nothing true, and must not gain. The answers of `sft` and `grpo` are greedy. "
        f"Last written with {versions} on {device_name('cpu')}.\n\n"
        "| objective | adapter | updates | items | before | after | gain | gain of the control | learns | measured |\n"
        f"|{' --- |' * 10}\n"
    )
    PAGE.write_text(head + "\n".join(rows[key] for key in sorted(rows)) + "\n", encoding="utf-8")


def main() -> None:
    """Print a line of JSON for each objective and adapter, and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[str(objective) for objective in Objective])
    adapters = [str(adapter) for adapter in Adapter]
    parser.add_argument("--adapters", nargs="*", default=adapters, choices=adapters)
    parser.add_argument(
        "--steps", type=int, default=None, help="Updates; the recipe's by default, and then a line of the page."
    )
    options = parser.parse_args()
    for objective, adapter in itertools.product(options.only, options.adapters):
        with tempfile.TemporaryDirectory(prefix="methods-") as folder, contextlib.redirect_stderr(io.StringIO()):
            found = examine(objective, adapter, options.steps, Path(folder))
        print(json.dumps(found), flush=True)
        if options.steps is None:
            write_page(line_of(found))


if __name__ == "__main__":
    main()
