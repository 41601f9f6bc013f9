"""The local store of models: folders that were found, looked through and named; the device; memory. Loads nothing."""

from tunesmith.domains.models.errors import ModelInvalid, ModelNotFound, PathNotAllowed, PickleWeights, RemoteCode
from tunesmith.domains.models.places import BUNDLED, bundled_folder, check_hub_id, is_path
from tunesmith.domains.models.schemas import (
    LocalModel,
    MemoryEstimate,
    MemoryState,
    ModelMetadata,
    ResolvedModel,
)
from tunesmith.domains.models.service import ModelStore

__all__ = [
    "BUNDLED",
    "LocalModel",
    "MemoryEstimate",
    "MemoryState",
    "ModelInvalid",
    "ModelMetadata",
    "ModelNotFound",
    "ModelStore",
    "PathNotAllowed",
    "PickleWeights",
    "RemoteCode",
    "ResolvedModel",
    "bundled_folder",
    "check_hub_id",
    "is_path",
]
