"""Tokens on their way from a request to a child process: sealed in a row that the job names by id, gone when it ends."""

from __future__ import annotations

import contextlib
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.jobs import JobView
from tunesmith.domains.models import repository
from tunesmith.domains.models.tables import HubTokenRow
from tunesmith.kit.sealing import Sealer
from tunesmith.settings import Settings

KEY_NAME = "secret.key"


class HubTokens:
    """Keeps tokens for jobs. No method answers or logs one but ``open``."""

    def __init__(self, settings: Settings) -> None:
        self._default = settings.models.hf_token
        self._sealer = Sealer(settings.data_dir / KEY_NAME)

    def default(self) -> str | None:
        """The token of the settings (HF_TOKEN)."""
        return self._default.get_secret_value() if self._default else None

    async def keep(self, unit: Unit, token: str | None) -> int | None:
        """Seal ``token``; answers the id that a job's spec may name. Without one a job uses the settings' own."""
        if not token:
            return None
        row = HubTokenRow(
            sealed=self._sealer.seal(token), project_id=unit.principal.project_id, created_by=unit.principal.user_id
        )
        unit.session.add(row)
        await unit.session.flush()
        return row.id

    async def open(self, unit: Unit, token_id: int | None) -> str | None:
        """The token of a job; the settings' own when it named none, or its row is gone (the job was tried again)."""
        row = await repository.find_token(unit, token_id) if token_id is not None else None
        if row is None:
            return self.default()
        with contextlib.suppress(ValueError):  # another key file: as if it was gone
            return self._sealer.open(row.sealed)
        return self.default()

    async def forget_ended(self, unit: Unit, job: JobView) -> None:
        """``on_change`` of the job kinds that take tokens: delete the row when the job has ended."""
        token_id: Any = job.spec.get("token_id")
        if not job.is_final or not isinstance(token_id, int):
            return
        row = await repository.find_token(unit, token_id)
        if row is not None:
            await unit.session.delete(row)
