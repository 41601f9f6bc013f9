"""Evaluations: held-out loss, perplexity, exact answers and preferences, always the base beside the tuned model."""

from tunesmith.domains.evaluation.schemas import EvaluateSpec, EvaluationResponse, RunEvaluationRequest
from tunesmith.domains.evaluation.service import EvaluationService
from tunesmith.domains.evaluation.tasks import Evaluator, kinds

__all__ = ["EvaluateSpec", "EvaluationResponse", "EvaluationService", "Evaluator", "RunEvaluationRequest", "kinds"]
