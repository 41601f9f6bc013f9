"""The local store of models: folders that were found, looked through and named; the device; memory. Loads nothing."""

from tunesmith.domains.models.archives.service import ArchiveService
from tunesmith.domains.models.errors import ModelInvalid, ModelNotFound, PathNotAllowed, PickleWeights, RemoteCode
from tunesmith.domains.models.hub.schemas import (
    HUB_ID,
    REVISION,
    BaseModelDetails,
    DownloadRequest,
    ModelSource,
    StoredModel,
)
from tunesmith.domains.models.hub.service import HubService
from tunesmith.domains.models.places import BUNDLED, bundled_folder, check_hub_id, is_path
from tunesmith.domains.models.safetensors import read_header as read_weights_header
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
    "HUB_ID",
    "REVISION",
    "ArchiveService",
    "BaseModelDetails",
    "DownloadRequest",
    "HubService",
    "LocalModel",
    "MemoryEstimate",
    "MemoryState",
    "ModelInvalid",
    "ModelMetadata",
    "ModelNotFound",
    "ModelSource",
    "ModelStore",
    "PathNotAllowed",
    "PickleWeights",
    "RemoteCode",
    "ResolvedModel",
    "StoredModel",
    "bundled_folder",
    "check_hub_id",
    "is_path",
    "read_weights_header",
]
