"""The worker: claim a job, run its task, record the end. ``python -m tunesmith.worker`` starts one."""

from tunesmith.worker.loop import run_worker
from tunesmith.worker.supervisor import Supervisor

__all__ = ["Supervisor", "run_worker"]
