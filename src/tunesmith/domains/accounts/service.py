"""Rules of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.db import Unit
from tunesmith.domains.accounts import repository
from tunesmith.domains.accounts.errors import IdempotencyConflict, UserNotFound
from tunesmith.domains.accounts.tables import AuditRow, IdempotencyRow, UserRow
from tunesmith.kit import logs
from tunesmith.kit.clock import utc_now

OWNER_NAME = "owner"
STALE_RESERVATION = timedelta(minutes=15)


@dataclass(frozen=True)
class FirstAnswer:
    """The answer that was given to the first call with an idempotency key."""

    status: int
    headers: dict[str, str]
    body: bytes


class AccountService:
    """Users, the audit log and idempotent calls."""

    async def ensure_owner(self, session: AsyncSession) -> int:
        """Make the owner when there is nobody yet; answers the owner's id."""
        owner = await repository.find_first_user(session)
        if owner is None:
            owner = UserRow(name=OWNER_NAME, role="admin")
            session.add(owner)
            await session.flush()
        return owner.id

    async def get_user(self, session: AsyncSession, user_id: int) -> tuple[str, str]:
        """(name, role) of an active user; raises UserNotFound."""
        user = await repository.find_user(session, user_id)
        if user is None or not user.is_active:
            raise UserNotFound(f"There is no active user {user_id}.")
        return user.name, user.role

    async def record(self, unit: Unit, action: str, resource: str | None) -> None:
        """Write the audit row of one mutating call."""
        unit.session.add(
            AuditRow(
                user_id=unit.principal.user_id,
                project_id=unit.principal.project_id,
                action=action[:100],
                resource=resource[:500] if resource else None,
                request_id=logs.request_id.get(),
            )
        )

    async def reserve_answer(
        self, unit: Unit, path: str, key: str, body_sha256: str, keep: timedelta
    ) -> FirstAnswer | None:
        """The first answer to this call, or None when this is the first call (which is then reserved).

        Raises IdempotencyConflict when the key was used with another body, or when the first call still runs.
        """
        now = utc_now()
        await repository.forget_answers(unit.session, before=now - keep)
        row = await repository.find_first_answer(unit.session, unit.principal.user_id, path, key)
        if row is None:
            unit.session.add(
                IdempotencyRow(user_id=unit.principal.user_id, path=path, key=key, body_sha256=body_sha256)
            )
            await unit.session.flush()
            return None
        if row.body_sha256 != body_sha256:
            raise IdempotencyConflict("This Idempotency-Key was used before, with another body.")
        if row.status is None:
            if now - row.created_at < STALE_RESERVATION:
                raise IdempotencyConflict("The first call with this Idempotency-Key has not ended yet.")
            row.created_at = now  # its process died before it answered; this call takes its place
            return None
        return FirstAnswer(row.status, dict(row.headers or {}), row.body or b"")

    async def keep_answer(self, unit: Unit, path: str, key: str, answer: FirstAnswer | None) -> None:
        """Keep the first answer; with None the reservation is given up, so that the call can be tried again."""
        row = await repository.find_first_answer(unit.session, unit.principal.user_id, path, key)
        if row is None:
            return
        if answer is None:
            await unit.session.delete(row)
        else:
            row.status, row.headers, row.body = answer.status, dict(answer.headers), answer.body
