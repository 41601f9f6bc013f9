"""The report of a run as files for a tracker: what was asked for, what came of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunesmith.domains.training.tables import FinetuningJobRow
from tunesmith.wire.recipe_text import validate_recipe, write_recipe


def write_report(folder: Path, row: FinetuningJobRow, resolved_recipe: Path | None) -> list[Path]:
    """Write ``recipe.yaml`` (resolved where there is one), ``report.json`` and ``report.md``; answers them."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe, as_json, as_text = folder / "recipe.yaml", folder / "report.json", folder / "report.md"
    if resolved_recipe is not None and resolved_recipe.is_file():
        shutil.copyfile(resolved_recipe, recipe)
    else:
        recipe.write_text(write_recipe(validate_recipe(row.recipe)), encoding="utf-8")
    facts = {
        "job_id": row.id,
        "job_name": row.job_name,
        "base_model": row.base_model,
        "method": row.method,
        "status": row.status,
        "started_at": row.started_at.isoformat() if row.started_at else None,
        "completed_at": row.completed_at.isoformat() if row.completed_at else None,
        "steps": row.current_step,
        **(row.figures or {}),
        "error_type": row.error_type,
        "error_message": row.error_message,
        "hint": row.error_hint,
    }
    as_json.write_text(json.dumps(facts | {"warnings": row.warnings}, indent=2, ensure_ascii=False), encoding="utf-8")
    lines = [f"# {row.job_name}", "", "| | |", "|---|---|"]
    lines += [
        f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in facts.items() if value is not None
    ]
    lines += ["", *[f"- {warning}" for warning in row.warnings]]
    as_text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [recipe, as_json, as_text]
