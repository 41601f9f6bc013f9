"""A revision in the recipe is the one in the local store, or the run is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.domains.training.pinned import check_revision
from tunesmith.wire.recipe_text import RecipeError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def model(revision: str | None) -> Any:
    return SimpleNamespace(reference="org/name", metadata=SimpleNamespace(revision=revision))


@pytest.mark.parametrize(
    ("wanted", "here"), [(None, None), (COMMIT, COMMIT), (COMMIT[:8], COMMIT), ("main", COMMIT), ("v2", "v2")]
)
def test_what_may_be_it_is_taken(wanted: str | None, here: str | None) -> None:
    check_revision(wanted, model(here))


@pytest.mark.parametrize(("wanted", "here"), [("v2", None), ("v2", "v1"), ("fedcba98", COMMIT)])
def test_another_one_is_refused_and_both_are_named(wanted: str, here: str | None) -> None:
    with pytest.raises(RecipeError, match=wanted) as refused:
        check_revision(wanted, model(here))
    assert refused.value.errors[0]["location"] == "model.revision"
    assert (here or "no revision") in refused.value.message
