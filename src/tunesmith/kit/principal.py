"""Who is asking, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tunesmith.kit.errors import Forbidden


class Permission(StrEnum):
    """What a route can ask for. Reading is one permission; writing is one for each kind of work."""

    READ = "read"
    DATA_WRITE = "data:write"
    TRAIN = "train"
    REGISTRY_WRITE = "registry:write"
    INFER = "infer"
    RUNTIME = "runtime"
    ADMIN = "admin"


ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.READ, Permission.INFER}),
    "developer": frozenset(set(Permission) - {Permission.ADMIN}),
    "admin": frozenset(Permission),
}


@dataclass(frozen=True)
class Principal:
    """A person (or a key of theirs) with their role and the projects that they see."""

    user_id: int
    name: str
    role: str
    project_id: int
    project_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What this person's role allows."""
        return ROLE_PERMISSIONS.get(self.role, frozenset())

    @property
    def sees_everything(self) -> bool:
        """Administrators see the projects of everybody."""
        return self.role == "admin"

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless this person has ``permission``."""
        if permission not in self.permissions:
            raise Forbidden(
                f"{self.name} ({self.role}) does not have the permission {permission.value!r}.",
                hint=f"Ask an administrator for a role that includes {permission.value!r}.",
            )
