"""Projects: what everything belongs to, and who sees it."""

from tunesmith.domains.projects.service import ProjectService

__all__ = ["ProjectService"]
