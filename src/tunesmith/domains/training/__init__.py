"""Fine-tuning: recipes become graphs of jobs; runs are followed, stopped and resumed. The engine behind it is a port's adapter."""

from tunesmith.domains.training.advising import Adviser
from tunesmith.domains.training.forecasting import ForecastResponse
from tunesmith.domains.training.recipe_book import RecipeBook
from tunesmith.domains.training.recommending import Recommendation
from tunesmith.domains.training.repository import JobFilter
from tunesmith.domains.training.saving import ModelSaver, SavedModel
from tunesmith.domains.training.saving import kinds as saving_kinds
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
from tunesmith.domains.training.tracking import Mirrors

__all__ = [
    "Adviser",
    "CheckpointResponse",
    "FinetuningJobCreate",
    "FinetuningJobResponse",
    "FinetuningStatus",
    "ForecastResponse",
    "JobFilter",
    "JobForm",
    "Mirrors",
    "ModelSaver",
    "RecipeBook",
    "Recommendation",
    "RunFigures",
    "SavedModel",
    "TrainJobSpec",
    "TrainResult",
    "TrainingMetrics",
    "TrainingService",
    "kinds",
    "saving_kinds",
]
