"""People: users and their roles, the audit log, and the first answers to idempotent calls."""

from tunesmith.domains.accounts.service import AccountService, FirstAnswer

__all__ = ["AccountService", "FirstAnswer"]
