"""Exports: models in other formats, each with a certificate that it behaves like its source."""

from tunesmith.domains.export.schemas import Certificate, ExportJobSpec, ExportResponse, ExportResult
from tunesmith.domains.export.service import ExportService
from tunesmith.domains.export.tasks import Exporter, kinds

__all__ = ["Certificate", "ExportJobSpec", "ExportResponse", "ExportResult", "ExportService", "Exporter", "kinds"]
