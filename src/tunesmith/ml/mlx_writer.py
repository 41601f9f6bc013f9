"""A model for Apple's MLX, written by its own converter where that is installed."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.kit.errors import MissingExtra
from tunesmith.kit.paths import atomic_folder
from tunesmith.ml.export_task import ExportFailed, Task
from tunesmith.ml.guard import stay_offline
from tunesmith.ml.merge import copy_companions
from tunesmith.ml.writers import complete_generation, merge_into, model_card

BITS = {"4bit": 4, "8bit": 8}


def check_installed() -> None:
    """Raise MissingExtra when MLX is not here."""
    if not find_spec("mlx") or not find_spec("mlx_lm"):
        raise MissingExtra("mlx", "Writing for MLX")


def write_mlx(task: Task) -> None:
    """A folder that ``mlx_lm`` loads: bf16, or packed into 8 or 4 bits."""
    check_installed()
    stay_offline()
    import mlx_lm

    task.target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=task.target.parent, prefix=".exact-") as place:
        exact, made = Path(place) / "model", Path(place) / "mlx"
        merge_into(task, exact, "bf16")
        complete_generation(exact)
        options: dict[str, Any] = {"dtype": "bfloat16"}
        if bits := BITS.get(str(task.method)):
            options |= {"quantize": True, "q_bits": bits, "q_group_size": 64}
        try:
            mlx_lm.convert(str(exact), str(made), **options)
        except (ValueError, KeyError, RuntimeError, TypeError) as error:
            raise ExportFailed(f"MLX cannot write this model ({error}).") from error
        copy_companions(exact, made, ("generation_config.json",))
        (made / "README.md").write_text(model_card(task, "mlx"), encoding="utf-8")
        with atomic_folder(task.target) as folder:
            for file in sorted(made.iterdir()):
                shutil.move(str(file), folder / file.name)
        task.tell(sum(file.stat().st_size for file in task.target.iterdir()))
