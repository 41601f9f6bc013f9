"""What an authorised caller holds before it has opened a transaction."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from tunesmith.db.session import Database, Unit
from tunesmith.kit.principal import Principal

AuditSink = Callable[[Unit, str, str | None], Awaitable[None]]
"""Writes the audit row of (unit, action, resource) in the unit's own transaction."""


class Access:
    """A person who may do what the route asks for, and the door to the database.

    Routes that upload, wait or stream take this instead of a unit, so that no transaction is open meanwhile.
    """

    def __init__(self, principal: Principal, database: Database, audit: AuditSink, action: str, resource: str) -> None:
        self.principal = principal
        self._database = database
        self._audit = audit
        self._action = action
        self._resource = resource

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """A unit that only reads."""
        async with self._database.read(self.principal) as unit:
            yield unit

    @contextlib.asynccontextmanager
    async def write(self, action: str | None = None, *, resource: str | None = None) -> AsyncIterator[Unit]:
        """A unit that is committed, with its audit row, when the block ends well."""
        async with self._database.write(self.principal) as unit:
            yield unit
            await self._audit(unit, action or self._action, resource or self._resource)
