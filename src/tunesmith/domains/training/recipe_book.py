"""Recipes that people keep: saved, changed, compared, run again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.exc import IntegrityError

from tunesmith.db import Unit
from tunesmith.domains.training import repository
from tunesmith.domains.training.errors import RecipeNameTaken, RecipeNotFound
from tunesmith.domains.training.recipe_views import (
    RecipeChange,
    RecipeCreate,
    RecipeDiffResponse,
    RecipeListResponse,
    RecipeResponse,
    RecipeUpdate,
)
from tunesmith.domains.training.tables import RecipeRow
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.ids import display_name
from tunesmith.kit.paging import PageRequest
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import apply_overrides, read_recipe, validate_recipe, write_recipe


class RecipeBook:
    """The saved recipes of a project; each is valid when it is written."""

    async def add(self, unit: Unit, asked: RecipeCreate) -> RecipeResponse:
        """Keep a recipe. Raises RecipeError with every fault, and RecipeNameTaken."""
        recipe = _read(asked.recipe, asked.yaml)
        if recipe is None:
            raise InvalidInput("Neither recipe nor yaml is given.", hint="Give the recipe as values or as text.")
        row = RecipeRow(
            project_id=unit.principal.project_id,
            created_by=unit.principal.user_id,
            name=_name(asked.name or recipe.name),
            description=asked.description,
            recipe=recipe.to_plain(),
        )
        await self._refuse_taken(unit, row.name)
        unit.session.add(row)
        await _flush(unit, row.name)
        return _view(row)

    async def get(self, unit: Unit, recipe_id: int) -> RecipeResponse:
        """The recipe; raises RecipeNotFound."""
        return _view(await self._row(unit, recipe_id))

    async def list_recipes(self, unit: Unit, page: PageRequest, *, search: str | None = None) -> RecipeListResponse:
        """A page of recipes, newest first."""
        rows, total = await repository.list_recipes(unit.session, unit.principal, page, search=search)
        items = [_view(row) for row in rows]
        return RecipeListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def change(self, unit: Unit, recipe_id: int, asked: RecipeUpdate) -> RecipeResponse:
        """Change what is given. Raises RecipeError and RecipeNameTaken."""
        row = await self._row(unit, recipe_id)
        if asked.name is not None and (name := _name(asked.name)) != row.name:
            await self._refuse_taken(unit, name)
            row.name = name
        if asked.description is not None:
            row.description = asked.description
        recipe = _read(asked.recipe, asked.yaml)
        if recipe is not None:
            row.recipe = recipe.to_plain()
        await _flush(unit, row.name)
        return _view(row)

    async def delete(self, unit: Unit, recipe_id: int) -> None:
        """Forget the recipe; runs that were made of it have their own copy."""
        await unit.session.delete(await self._row(unit, recipe_id))

    async def prepared(self, unit: Unit, recipe_id: int, overrides: list[str]) -> Recipe:
        """The recipe with changes for one run. Raises RecipeError for a change that does not fit."""
        row = await self._row(unit, recipe_id)
        return apply_overrides(validate_recipe(row.recipe), overrides)

    async def diff(self, unit: Unit, recipe_id: int, other_id: int) -> RecipeDiffResponse:
        """Where two recipes differ."""
        first, second = await self._row(unit, recipe_id), await self._row(unit, other_id)
        return differences(first.recipe, second.recipe)

    async def _row(self, unit: Unit, recipe_id: int) -> RecipeRow:
        row = await repository.find_recipe(unit.session, unit.principal, recipe_id)
        if row is None:
            raise RecipeNotFound(f"There is no recipe {recipe_id}.")
        return row

    async def _refuse_taken(self, unit: Unit, name: str) -> None:
        if await repository.find_recipe_named(unit.session, unit.principal, name) is not None:
            raise RecipeNameTaken(f"A recipe of this project is called {name!r} already.")


async def _flush(unit: Unit, name: str) -> None:
    try:
        await unit.session.flush()
    except IntegrityError:
        raise RecipeNameTaken(f"A recipe of this project is called {name!r} already.") from None


def differences(first: dict[str, Any], second: dict[str, Any]) -> RecipeDiffResponse:
    """Every key in which two recipes differ; a list counts as one value."""
    before, after = dict(_flat(first)), dict(_flat(second))
    keys = sorted(before.keys() | after.keys())
    changes = [
        RecipeChange(key=key, before=before.get(key), after=after.get(key))
        for key in keys
        if before.get(key) != after.get(key)
    ]
    return RecipeDiffResponse(changes=changes, same=len(keys) - len(changes))


def _flat(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        name = f"{path}{key}"
        if isinstance(inner, dict):
            yield from _flat(inner, f"{name}.")
        else:
            yield name, inner


def _read(values: dict[str, Any] | None, text: str | None) -> Recipe | None:
    if values is not None and text is not None:
        raise InvalidInput("Both recipe and yaml are given.", hint="Give one of them.")
    if values is not None:
        return validate_recipe(values)
    return None if text is None else read_recipe(text)


def _name(text: str) -> str:
    try:
        return display_name(text)
    except ValueError as error:
        raise InvalidInput(
            f"The name cannot be used: {error}.", errors=[{"location": "name", "message": str(error), "value": text}]
        ) from None


def _view(row: RecipeRow) -> RecipeResponse:
    return RecipeResponse(
        id=row.id,
        name=row.name,
        description=row.description,
        recipe=row.recipe,
        yaml=write_recipe(validate_recipe(row.recipe)),
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
