"""A completed training job and what it left behind, without training anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tunesmith.bootstrap import Services
from tunesmith.domains.jobs.tables import JobRow


def adapter_folder(folder: Path) -> Path:
    """A small adapter, as PEFT saves one."""
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "tunesmith/tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"base_model.model.x.lora_A.weight": np.ones((4, 8), np.float32)}, folder / "adapter_model.safetensors")
    return folder


def publication(adapter: Path, **changes: Any) -> dict[str, Any]:
    """What a training job's result says to others."""
    return {
        "base_model": "tunesmith/tiny",
        "base_path": str(adapter.parent / "base"),
        "adapter_dir": str(adapter),
        "recipe": {"version": 1, "name": "항구 안내", "method": {"adapter": "lora", "lora": {"r": 4, "alpha": 8}}},
        "dataset": {"id": 3, "name": "항구 | 안내", "version": "1.0", "sha256": "ab" * 32, "rows": 400},
        "metrics": {"train_loss": 0.41},
        "weights_sha256": "cd" * 32,
        "trained_tokens": 12345,
        "final_loss": 0.4123,
        "eval_loss": 0.5,
        **changes,
    }


async def finished_job(services: Services, result: dict[str, Any] | None, *, state: str = "succeeded") -> int:
    """A row of a training job that has ended."""
    owner = await services.owner()
    async with services.database.write(owner) as unit:
        row = JobRow(
            project_id=owner.project_id,
            created_by=owner.user_id,
            kind="train",
            name="train",
            state=state,
            spec={},
            result=result,
        )
        unit.session.add(row)
        await unit.session.flush()
        return row.id
