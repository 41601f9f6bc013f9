"""Versions of models: their files with hashes, where they come from, and the evidence that others add. It reads no one above."""

from tunesmith.domains.registry.errors import ModelVersionNotFound
from tunesmith.domains.registry.schemas import (
    EvidenceView,
    ModelDetailResponse,
    ModelFile,
    ModelListResponse,
    ModelRegisterRequest,
    ModelResponse,
    ModelStatus,
    Publication,
    RegisterResult,
    RegisterSpec,
    VersionFiles,
)
from tunesmith.domains.registry.service import RegistryService
from tunesmith.domains.registry.tasks import kinds

__all__ = [
    "EvidenceView",
    "ModelDetailResponse",
    "ModelFile",
    "ModelListResponse",
    "ModelRegisterRequest",
    "ModelResponse",
    "ModelStatus",
    "ModelVersionNotFound",
    "Publication",
    "RegisterResult",
    "RegisterSpec",
    "RegistryService",
    "VersionFiles",
    "kinds",
]
