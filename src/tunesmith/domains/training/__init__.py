"""Fine-tuning: recipes become graphs of jobs; runs are followed, stopped and resumed. The engine behind it is a port's adapter."""

from tunesmith.domains.training.schemas import (
    CheckpointResponse,
    FinetuningJobResponse,
    FinetuningStatus,
    RunFigures,
    TrainingMetrics,
)
from tunesmith.domains.training.service import TrainingService
from tunesmith.domains.training.short_form import FinetuningJobCreate, JobForm
from tunesmith.domains.training.tasks import TrainJobSpec, TrainResult, kinds

__all__ = [
    "CheckpointResponse",
    "FinetuningJobCreate",
    "FinetuningJobResponse",
    "FinetuningStatus",
    "JobForm",
    "RunFigures",
    "TrainJobSpec",
    "TrainResult",
    "TrainingMetrics",
    "TrainingService",
    "kinds",
]
