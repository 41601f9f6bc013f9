"""Personal data in texts: finding it, taking it out, and showing texts so that none is seen. Pure functions."""

from tunesmith.domains.datasets.pii.applying import (
    Applied,
    FindPii,
    PiiAction,
    PiiChange,
    PiiSummary,
    PiiTally,
    apply_pii,
)
from tunesmith.domains.datasets.pii.entities import CERTAIN, NAMES, Entity, PiiHit
from tunesmith.domains.datasets.pii.finding import find_pii
from tunesmith.domains.datasets.pii.masking import excerpt, mask, mask_value, shown
from tunesmith.domains.datasets.pii.surrogates import Pseudonyms

__all__ = [
    "CERTAIN",
    "NAMES",
    "Applied",
    "Entity",
    "FindPii",
    "PiiAction",
    "PiiChange",
    "PiiHit",
    "PiiSummary",
    "PiiTally",
    "Pseudonyms",
    "apply_pii",
    "excerpt",
    "find_pii",
    "mask",
    "mask_value",
    "shown",
]
