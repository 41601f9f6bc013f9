"""Make one version from another."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

from tunesmith.domains.datasets.derivation.catalogue import OperationName, operation_of
from tunesmith.domains.datasets.derivation.service import DerivationService, answer_without_version
from tunesmith.domains.datasets.derivation.writing import ROW_MAP, ROWS, Derivation
from tunesmith.domains.datasets.pii import find_pii
from tunesmith.domains.datasets.pii.named import pii_finder
from tunesmith.domains.datasets.schemas.derivation import DerivationResponse
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.jobs import JobContext, JobKind

TRIES = 5


class DeriveSpec(BaseModel):
    """A derivation of one dataset."""

    dataset_id: int = Field(description="Dataset to make the version from.")
    operation: OperationName = Field(description="What is done to its rows.")
    parameters: dict[str, Any] = Field(description="How; each operation has its own.")
    preview: bool = Field(False, description="Only say what would be done.")


def kind(derivations: DerivationService) -> JobKind:
    """The kind of job that makes a version from another."""
    return JobKind("derive", DeriveSpec, DerivationResponse, _Derive(derivations).run)


class _Derive:
    def __init__(self, derivations: DerivationService) -> None:
        self._derivations = derivations
        self._datasets = derivations.datasets

    async def run(self, context: JobContext) -> DerivationResponse:
        """Write the new rows and keep them as a version; a second run finds what the first one made."""
        spec = context.spec
        assert isinstance(spec, DeriveSpec)
        async with context.read() as unit:
            made = await self._derivations.find_made(unit, context.job.id)
            row = await self._datasets.get_row(unit, spec.dataset_id)
            operation = operation_of(spec.operation, spec.parameters)
            tokenizer = await self._derivations.tokenizer_of(unit, operation)
            salt = await self._derivations.salt_of(unit, row) if spec.operation == "pii" else b""
        if made is not None:
            return made
        finder = await context.in_thread(pii_finder, self._datasets.limits) if spec.operation == "pii" else find_pii
        work = Derivation(await self._datasets.source_of(row), operation, tokenizer, salt, finder)
        folder = context.folder / "derived"
        try:
            size_bytes = work.source.path.stat().st_size
            await run_pass(context, work, functools.partial(work.run, folder, preview=spec.preview), size_bytes)
            if spec.preview or not work.makes_a_version:
                return answer_without_version(row, work, preview=spec.preview)
            return await self._keep(context, row.id, work, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _keep(self, context: JobContext, parent_id: int, work: Derivation, folder: Path) -> DerivationResponse:
        storage = self._datasets.storage
        stored = await storage.put_file(folder / ROWS)
        row_map = f"datasets/row-maps/{context.job.id}.u8"
        kept = False
        try:
            await storage.put_file(folder / ROW_MAP, row_map)
            for left in reversed(range(TRIES)):
                try:
                    async with context.write() as unit:
                        answer = await self._derivations.keep(unit, parent_id, context.job.id, work, stored, row_map)
                    kept = True
                    return answer
                except IntegrityError:  # somebody took the version number at the same moment
                    if not left:
                        raise
            raise AssertionError("unreachable")
        finally:
            if not kept:
                async with context.read() as unit:
                    await self._datasets.forget_file(unit, stored)
                await storage.delete(row_map)
