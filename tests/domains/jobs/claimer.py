"""Claims jobs as fast as it can and prints their ids: ``python -m tests.domains.jobs.claimer DATA_DIR URL NAME``."""

from __future__ import annotations

import asyncio
import sys

from pydantic import BaseModel

from tunesmith.db import Database
from tunesmith.domains.accounts import AccountService
from tunesmith.domains.jobs import Claims, JobContext, JobKind, JobService
from tunesmith.domains.projects import ProjectService
from tunesmith.settings import load_settings


class Anything(BaseModel):
    """Any spec, any result."""


async def nothing(_context: JobContext) -> BaseModel:
    """It is claimed, never run."""
    return Anything()


async def main(data_dir: str, url: str, name: str) -> None:
    settings = load_settings(data_dir=data_dir, database={"url": url}, jobs={"lease_seconds": 300.0})
    database = Database(settings.database_url)
    jobs = JobService(settings=settings, database=database, projects=ProjectService(accounts=AccountService()))
    jobs.register(JobKind("add", Anything, Anything, nothing))
    claims = Claims(jobs, name)
    taken = []
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    while (execution := await claims.claim()) is not None:
        taken.append(execution.job_id)
    print(*taken, flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
