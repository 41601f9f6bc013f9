"""What the worker does for the registry: copy the files into the store, then make the version."""

from __future__ import annotations

from typing import cast

from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.registry.files import store_weights
from tunesmith.domains.registry.schemas import RegisterResult, RegisterSpec
from tunesmith.domains.registry.service import RegistryService


def kinds(registry: RegistryService) -> list[JobKind]:
    """The job kinds of the registry."""

    async def register(context: JobContext) -> RegisterResult:
        spec = cast(RegisterSpec, context.spec)
        if spec.publication.job_id is None and "publication" in context.job.inputs:
            spec.publication.job_id = context.job.inputs["publication"].job_id
        await context.progress(0, 2, "copying files into the store")
        # The prefix is this job's own, so a second run after a kill writes the same names, and nobody else's.
        files = await store_weights(registry.storage, spec.publication.weights_dir, f"models/job-{context.job.id}")
        await context.progress(1, 2, "writing the version")
        async with context.write() as unit:
            version = await registry.record(unit, spec, files, register_job_id=context.job.id)
        return RegisterResult(model_id=version.id, version=version.reference)

    return [JobKind(name="register", spec=RegisterSpec, result=RegisterResult, run=register)]
