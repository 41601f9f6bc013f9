"""Connections, and the unit of work that commits once, at the edge."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from tunesmith.kit.principal import Principal

AfterCommit = Callable[[], Awaitable[None]]


@dataclass
class Unit:
    """One unit of work: a session, the person it is for, and what happens after the commit.

    Services take it as their first argument and never commit.
    """

    session: AsyncSession
    principal: Principal
    callbacks: list[AfterCommit] = field(default_factory=list)

    def after_commit(self, callback: AfterCommit) -> None:
        """Run ``callback`` when, and only when, the transaction has been committed."""
        self.callbacks.append(callback)


class Database:
    """The engine for one URL. SQLite runs in WAL mode, and a writing unit begins with BEGIN IMMEDIATE:

    a deferred transaction that reads and then writes fails at once when another process wrote in between.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = (
            {} if self.is_sqlite else {"pool_size": pool_size, "max_overflow": 20, "pool_pre_ping": True}
        )
        self.engine: AsyncEngine = create_async_engine(url, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        self._writing = self.engine.execution_options(immediate=True)

    @contextlib.asynccontextmanager
    async def read(self, principal: Principal) -> AsyncIterator[Unit]:
        """A unit that only reads; whatever it changed by mistake is rolled back."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield Unit(session, principal)

    @contextlib.asynccontextmanager
    async def write(self, principal: Principal) -> AsyncIterator[Unit]:
        """A unit that is committed when the block ends well and rolled back when it raises."""
        async with AsyncSession(self._writing, expire_on_commit=False) as session:
            unit = Unit(session, principal)
            yield unit
            await session.commit()
        for callback in unit.callbacks:
            await callback()

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection in a writing transaction, for migrations."""
        async with self._writing.begin() as connection:
            yield connection

    async def check(self) -> None:
        """Raise if the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "busy_timeout=30000", "foreign_keys=ON", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
