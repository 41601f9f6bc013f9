"""Rows: metadata, column types, sessions and the unit of work. Commits happen here and nowhere else."""

from tunesmith.db.access import Access, AuditSink
from tunesmith.db.metadata import Base, ProjectOwned, Timestamps
from tunesmith.db.session import Database, Unit
from tunesmith.db.types import JsonColumn, UtcDateTime
from tunesmith.db.visibility import visible_to

__all__ = [
    "Access",
    "AuditSink",
    "Base",
    "Database",
    "JsonColumn",
    "ProjectOwned",
    "Timestamps",
    "Unit",
    "UtcDateTime",
    "visible_to",
]
