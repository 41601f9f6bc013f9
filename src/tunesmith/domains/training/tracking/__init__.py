"""Mirrors runs to trackers: an outbox in the database says what each one is owed, and workers deliver it."""

from tunesmith.domains.training.tracking.mirrors import Mirrors

__all__ = ["Mirrors"]
