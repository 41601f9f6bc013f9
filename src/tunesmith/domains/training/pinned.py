"""A recipe may name the revision of its base: what lies in the local store has to be that one."""

from __future__ import annotations

import re

from tunesmith.domains.models import ResolvedModel
from tunesmith.wire.recipe_text import RecipeError

_COMMIT = re.compile("[0-9a-f]{7,40}")


def check_revision(wanted: str | None, model: ResolvedModel) -> None:
    """Raise RecipeError when ``model`` is known to be another revision. Which commit a branch or tag meant is not known here."""
    if wanted is None:
        return
    here = model.metadata.revision
    names = [name for name in (wanted, here) if name and not _COMMIT.fullmatch(name)]
    if here and (here.startswith(wanted) or len(names) == 1):
        return
    has = f"is revision {here}" if here else "has no revision"
    message = f"{model.reference} {has}, and the recipe asks for {wanted}."
    fault = {"location": "model.revision", "message": message, "value": wanted}
    hint = f"Fetch it (tunesmith models download {model.reference} --revision {wanted}), or leave model.revision out."
    raise RecipeError(message, hint=hint, errors=[fault])
