"""Training data: files in, findings and splits out, conversations for training. The doctor and the readers are pure functions."""

from tunesmith.domains.datasets.derivation.service import DerivationService
from tunesmith.domains.datasets.doctor import CODES, DoctorReport, Finding, Severity, examine_file
from tunesmith.domains.datasets.errors import (
    DatasetExistsError,
    DatasetNotFoundError,
    DatasetNotReadyError,
    DatasetRedError,
)
from tunesmith.domains.datasets.explorations import ExplorationService
from tunesmith.domains.datasets.exporting import MessagesFile, refuse_unsupervised
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.remapping import MappingService
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse, DatasetStatus
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.versions.service import VersionService

__all__ = [
    "CODES",
    "DataFormat",
    "DatasetExistsError",
    "DatasetNotFoundError",
    "DatasetNotReadyError",
    "DatasetRedError",
    "DatasetResponse",
    "DatasetService",
    "DatasetStatus",
    "DerivationService",
    "DoctorReport",
    "ExplorationService",
    "Finding",
    "MappingService",
    "MessagesFile",
    "OutputService",
    "Severity",
    "UploadService",
    "VersionService",
    "examine_file",
    "refuse_unsupervised",
]
