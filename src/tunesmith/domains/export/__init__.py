"""Exports: models in other formats, each with a certificate that it behaves like its source."""

from tunesmith.domains.export.gguf_advice import GgufMethodList, GgufRecommendation, method_table, recommend
from tunesmith.domains.export.gguf_checking import GgufValidation, GgufValidator
from tunesmith.domains.export.gguf_checking import kinds as gguf_kinds
from tunesmith.domains.export.pushing import PushRequest, PushResult, PushService
from tunesmith.domains.export.schemas import (
    Certificate,
    ExportJobSpec,
    ExportOutput,
    ExportRequest,
    ExportResponse,
    ExportResult,
    ExportStatus,
    ImportanceRequest,
)
from tunesmith.domains.export.service import ExportService
from tunesmith.domains.export.tasks import Exporter, kinds

__all__ = [
    "Certificate",
    "ExportJobSpec",
    "ExportOutput",
    "ExportRequest",
    "ExportResponse",
    "ExportResult",
    "ExportService",
    "ExportStatus",
    "Exporter",
    "GgufMethodList",
    "GgufRecommendation",
    "GgufValidation",
    "GgufValidator",
    "ImportanceRequest",
    "PushRequest",
    "PushResult",
    "PushService",
    "gguf_kinds",
    "kinds",
    "method_table",
    "recommend",
]
