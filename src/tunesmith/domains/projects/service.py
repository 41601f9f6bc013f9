"""Rules of projects."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.accounts import AccountService
from tunesmith.domains.projects import repository
from tunesmith.domains.projects.tables import MemberRow, ProjectRow
from tunesmith.kit.errors import Forbidden
from tunesmith.kit.principal import Principal

DEFAULT_NAME = "default"


class ProjectService:
    """Projects and their members."""

    def __init__(self, *, accounts: AccountService) -> None:
        self._accounts = accounts

    async def ensure_default(self, session: AsyncSession, owner_id: int) -> int:
        """Make the default project, with the owner in it, when there is none yet; answers its id."""
        project = await repository.find_first_project(session)
        if project is None:
            project = ProjectRow(name=DEFAULT_NAME, created_by=owner_id)
            session.add(project)
            await session.flush()
            session.add(MemberRow(project_id=project.id, user_id=owner_id))
            await session.flush()
        return project.id

    async def principal_of(self, session: AsyncSession, user_id: int, project_id: int | None = None) -> Principal:
        """The principal of a person, working in ``project_id`` (default: their first project).

        Raises UserNotFound, and Forbidden for a project that they do not see.
        """
        name, role = await self._accounts.get_user(session, user_id)
        ids = await repository.list_project_ids(session, user_id)
        current = project_id if project_id is not None else (ids[0] if ids else None)
        if current is None or (current not in ids and role != "admin"):
            raise Forbidden(f"{name} is not a member of the project.", hint="Ask its owner to add you.")
        return Principal(user_id=user_id, name=name, role=role, project_id=current, project_ids=frozenset(ids))
