"""The recipes that come with the program."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import tunesmith
from tunesmith.domains.training.schemas import RecipePreset
from tunesmith.wire.recipe_text import read_recipe


@lru_cache(maxsize=1)
def list_presets() -> list[RecipePreset]:
    """Every preset, by name. The description is the comment at the top of its file."""
    presets = []
    files = {file.name: file for folder in _folders() for file in folder.glob("*.yaml")}
    for _name, file in sorted(files.items()):
        text = file.read_text(encoding="utf-8")
        comment = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
        recipe = read_recipe(file)
        about = " ".join(line for line in comment if line)
        presets.append(
            RecipePreset(name=file.stem, title=recipe.name, description=about, yaml=text, recipe=recipe.to_plain())
        )
    return presets


def _folders() -> list[Path]:
    """In a wheel they lie in the bundle, in a checkout at its root; the bundle has the last word."""
    package = Path(tunesmith.__file__).parent
    return [package.parents[1] / "recipes", package / "bundle" / "recipes"]
