"""Training data: files in, findings and splits out, conversations for training. The doctor and the readers are pure functions."""

from tunesmith.domains.datasets.doctor import CODES, DoctorReport, Finding, Severity, examine_file
from tunesmith.domains.datasets.formats import DataFormat

__all__ = ["CODES", "DataFormat", "DoctorReport", "Finding", "Severity", "examine_file"]
