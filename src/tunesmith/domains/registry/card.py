"""The model card: what a version is, where it comes from, what it can do, and how to use it. Plain Markdown, any language."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from tunesmith.domains.registry.schemas import ModelDetailResponse


def write_card(version: ModelDetailResponse) -> str:
    """The card of a version."""
    sections = [
        _head(version),
        _data(version),
        _training(version),
        _evaluation(version),
        _exports(version),
        _files(version),
        _use(version),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(version: ModelDetailResponse) -> str:
    lines = [f"# {version.model_name} {version.version}"]
    if version.description:
        lines += ["", version.description.strip()]
    facts = [
        ("Base model", _without_folders(version.base_model)),
        ("Method", _method(version.publication.recipe)),
        ("Status", version.status.value),
        ("Registered", version.created_at.strftime("%Y-%m-%d %H:%M UTC")),
        ("Size", f"{version.model_size_gb * 1000:.1f} MB"),
        ("Tags", ", ".join(version.tags) or "–"),
    ]
    return "\n".join([*lines, "", _table(("", ""), facts)])


def _method(recipe: dict[str, Any]) -> str:
    method = recipe.get("method") or {}
    words = f"{method.get('objective', 'sft')} with {method.get('adapter', 'lora')}"
    lora = method.get("lora") or {}
    return f"{words}, r {lora['r']}, alpha {lora.get('alpha', '–')}" if "r" in lora else words


def _data(version: ModelDetailResponse) -> str:
    data = version.publication.dataset
    if data is None:
        return ""
    name = f"{data.name}@{data.version}" if data.version else data.name
    return "## Data\n\n" + _table(
        ("", ""), [("Dataset", name), ("Rows", f"{data.rows:,}"), ("SHA-256", f"`{data.sha256}`")]
    )


def _training(version: ModelDetailResponse) -> str:
    publication = version.publication
    facts = [
        ("Job", publication.job_id),
        ("Trained tokens", f"{publication.trained_tokens:,}" if publication.trained_tokens is not None else None),
        ("Final loss", _number(publication.final_loss)),
        ("Evaluation loss", _number(publication.eval_loss)),
        ("Weights SHA-256", f"`{publication.weights_sha256}`" if publication.weights_sha256 else None),
    ]
    recipe = json.dumps(_without_folders(publication.recipe), ensure_ascii=False, indent=2, sort_keys=True)
    table = _table(("", ""), [(name, value) for name, value in facts if value is not None])
    return f"## Training\n\n{table}\n\nThe resolved recipe:\n\n```json\n{recipe}\n```"


MEASURES = {
    "loss": "Held-out loss",
    "perplexity": "Perplexity",
    "exact_match": "Exact answers",
    "preference_accuracy": "Better answer likelier",
    "preference_margin": "By nats a token",
}


def _evaluation(version: ModelDetailResponse) -> str:
    found = [evidence.document for evidence in version.evidence if evidence.kind == "evaluation"]
    if not found:
        return "## Evaluation\n\nThis version has not been evaluated yet."
    newest = found[-1]
    rows = [*_sides(newest, ""), *_sides(newest.get("general") or {}, "general: ")]
    return "## Evaluation\n\n" + _table(("Metric", "Base", "Tuned", "Difference (95 %)"), rows)


def _sides(document: dict[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    base, tuned = document.get("base") or {}, document.get("tuned") or {}
    differences = document.get("difference") or {}
    rows = []
    for key, label in MEASURES.items():
        left, right = _metric((base.get("metrics") or {}).get(key)), _metric((tuned.get("metrics") or {}).get(key))
        if left != "–" or right != "–":
            rows.append((prefix + label, left, right, _metric(differences.get(key))))
    return rows


def _metric(metric: dict[str, Any] | None) -> str:
    if not metric or metric.get("value") is None:
        return "–"
    interval = f" ({_number(metric.get('low'))} to {_number(metric.get('high'))}, n={metric.get('n')})"
    return f"{_number(metric['value'])}{interval if metric.get('low') is not None else ''}"


def _exports(version: ModelDetailResponse) -> str:
    newest = {}
    for evidence in version.evidence:
        if evidence.kind == "export":
            newest[(evidence.document.get("format"), evidence.document.get("method"))] = evidence.document
    if not newest:
        return ""
    rows = []
    for (kind, method), document in newest.items():
        certificate = document.get("certificate") or {}
        checks = {check["name"]: check["value"] for check in certificate.get("checks", [])}
        rows.append(
            (
                f"{kind} {method or ''}".strip(),
                f"{document.get('size_bytes', 0) / 1e6:.1f} MB",
                "passed" if certificate.get("passed") else "**failed**",
                _number(checks.get("token_agreement")),
                _number(checks.get("mean_kl")),
                f"`{document.get('sha256', '')}`",
            )
        )
    return "## Exports\n\n" + _table(("Format", "Size", "Certificate", "Token agreement", "Mean KL", "SHA-256"), rows)


def _files(version: ModelDetailResponse) -> str:
    rows = [(f"`{file.path}`", f"{file.size_bytes:,}", f"`{file.sha256}`") for file in version.files]
    return "## Files\n\n" + _table(("File", "Bytes", "SHA-256"), rows)


def _use(version: ModelDetailResponse) -> str:
    body = json.dumps({"model": version.reference, "messages": [{"role": "user", "content": "…"}]}, ensure_ascii=False)
    return (
        "## How to use it\n\n"
        f"```sh\ntunesmith chat {version.reference}\n"
        f"tunesmith export {version.reference} --format gguf --method Q8_0\n"
        f"curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' -d '{body}'\n```"
    )


def _without_folders(value: Any) -> Any:
    """``value`` with the names of folders in place of their paths: a card travels, and those are of this machine."""
    if isinstance(value, dict):
        return {key: _without_folders(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_folders(inner) for inner in value]
    if isinstance(value, str) and value.startswith(("/", "~", "./", "../")):
        return PurePath(value).name or value
    return value


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [_line(head), "|" + " --- |" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: tuple[object, ...]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
