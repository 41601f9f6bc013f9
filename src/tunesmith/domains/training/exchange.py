"""Recipes from and for other programs."""

from __future__ import annotations

import yaml

from tunesmith.domains.training.schemas import (
    ForeignProgram,
    RecipeExportRequest,
    RecipeExportResponse,
    RecipeFault,
    RecipeImportRequest,
    RecipeImportResponse,
)
from tunesmith.wire.foreign import read_axolotl, read_llamafactory, write_axolotl
from tunesmith.wire.foreign.names import AXOLOTL_VERSION
from tunesmith.wire.recipe_text import RecipeError, parse_document, read_recipe, validate_recipe

READERS = {ForeignProgram.AXOLOTL: read_axolotl, ForeignProgram.LLAMAFACTORY: read_llamafactory}
SIGNS = {
    ForeignProgram.LLAMAFACTORY: ("model_name_or_path", "finetuning_type", "stage", "cutoff_len"),
    ForeignProgram.AXOLOTL: ("base_model", "datasets", "micro_batch_size", "sequence_len", "adapter"),
}
HINT = "Give the file as it is, and name the program with `from`: axolotl or llamafactory."


def import_recipe(request: RecipeImportRequest) -> RecipeImportResponse:
    """The recipe in a foreign file. Raises RecipeError for what is no such file."""
    document = parse_document(request.yaml, "the file")
    if not isinstance(document, dict) or not document:
        raise RecipeError("The file must be a mapping of keys to values.", hint=HINT)
    program = request.program
    if program is ForeignProgram.AUTO:
        scores = {found: sum(sign in document for sign in signs) for found, signs in SIGNS.items()}
        program = max(scores, key=lambda found: scores[found])
        if scores[program] == 0:
            raise RecipeError("The file has no key that Axolotl or LLaMA-Factory starts from.", hint=HINT)
    read = READERS[program](document, request.name)
    errors: list[RecipeFault] = []
    recipe = read.recipe
    try:
        recipe = validate_recipe(recipe).to_plain()
    except RecipeError as error:
        faults = error.errors or [{"location": "", "message": error.message}]
        errors = [RecipeFault.model_validate(fault) for fault in faults]
    return RecipeImportResponse(
        program=program,
        valid=not errors,
        errors=errors,
        recipe=recipe,
        yaml=_as_yaml(recipe),
        carried=read.carried,
        left_out=read.left_out,
    )


def export_recipe(request: RecipeExportRequest) -> RecipeExportResponse:
    """The recipe as a configuration of another program. Raises RecipeError."""
    recipe = validate_recipe(request.recipe) if request.recipe is not None else read_recipe(request.yaml or "")
    config = write_axolotl(recipe.to_plain(), custom=request.custom)
    return RecipeExportResponse(to=request.to, version=AXOLOTL_VERSION, config=config, yaml=_as_yaml(config))


def _as_yaml(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
