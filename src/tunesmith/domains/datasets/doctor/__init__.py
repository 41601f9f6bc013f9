"""The data doctor: one pass over a file, every fault located, never stopped by the first."""

from tunesmith.domains.datasets.doctor.codes import CODES, LEARNING, QUALITY, Code
from tunesmith.domains.datasets.doctor.examine import DoctorReport, Limits, examine, examine_file
from tunesmith.domains.datasets.doctor.findings import Counts, Finding, FindingCounts, Severity
from tunesmith.domains.datasets.doctor.rows import RowChecker

__all__ = [
    "CODES",
    "LEARNING",
    "QUALITY",
    "Code",
    "Counts",
    "DoctorReport",
    "Finding",
    "FindingCounts",
    "Limits",
    "RowChecker",
    "Severity",
    "examine",
    "examine_file",
]
