"""Training data: files in, findings and splits out, conversations for training. The doctor and the readers are pure functions."""

from tunesmith.domains.datasets.derivation.service import DerivationService
from tunesmith.domains.datasets.doctor import CODES, DoctorReport, Finding, FindingCounts, Severity, examine_file
from tunesmith.domains.datasets.errors import (
    DatasetExistsError,
    DatasetNotFoundError,
    DatasetNotReadyError,
    DatasetRedError,
)
from tunesmith.domains.datasets.exploration import Question
from tunesmith.domains.datasets.explorations import ExplorationService
from tunesmith.domains.datasets.exporting import MessagesFile, refuse_format
from tunesmith.domains.datasets.formats import SUPERVISED, DataFormat
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.intake import Intake
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.remapping import MappingService
from tunesmith.domains.datasets.schemas.cleaning import CleanRequest
from tunesmith.domains.datasets.schemas.dataset import DatasetPreviewResponse, DatasetResponse, DatasetStatus
from tunesmith.domains.datasets.schemas.derivation import DerivationResponse
from tunesmith.domains.datasets.schemas.exploration import (
    ColumnBrief,
    CorrelationMethod,
    EdaCorrelation,
    EdaDistribution,
    EdaMissing,
    EdaStatistics,
    EdaSummary,
    View,
)
from tunesmith.domains.datasets.schemas.saving import DatasetSaveRequest, DatasetSaveResponse
from tunesmith.domains.datasets.schemas.split import DatasetSplitRequest, DatasetSplitResponse
from tunesmith.domains.datasets.schemas.tokens import TokenAnalysis, TokenAnalysisRequest
from tunesmith.domains.datasets.schemas.xray import DatasetXrayRequest, DatasetXrayResponse
from tunesmith.domains.datasets.semantic import SemanticService
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.versions.service import VersionService
from tunesmith.domains.datasets.xray import XrayService

__all__ = [
    "CODES",
    "SUPERVISED",
    "CleanRequest",
    "ColumnBrief",
    "CorrelationMethod",
    "DataFormat",
    "DatasetExistsError",
    "DatasetNotFoundError",
    "DatasetNotReadyError",
    "DatasetPreviewResponse",
    "DatasetRedError",
    "DatasetResponse",
    "DatasetSaveRequest",
    "DatasetSaveResponse",
    "DatasetService",
    "DatasetSplitRequest",
    "DatasetSplitResponse",
    "DatasetStatus",
    "DatasetXrayRequest",
    "DatasetXrayResponse",
    "DerivationResponse",
    "DerivationService",
    "DoctorReport",
    "EdaCorrelation",
    "EdaDistribution",
    "EdaMissing",
    "EdaStatistics",
    "EdaSummary",
    "ExplorationService",
    "Finding",
    "FindingCounts",
    "Intake",
    "MappingService",
    "MessagesFile",
    "OutputService",
    "Question",
    "SemanticService",
    "Severity",
    "TokenAnalysis",
    "TokenAnalysisRequest",
    "UploadService",
    "VersionService",
    "View",
    "XrayService",
    "examine_file",
    "refuse_format",
]
