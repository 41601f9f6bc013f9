"""“The current …” of one person at a keyboard: thin steps onto the services that the control plane uses."""

from tunesmith.domains.workbench.service.chat import ChatBench
from tunesmith.domains.workbench.service.datasets import DatasetBench
from tunesmith.domains.workbench.service.gguf import GgufBench
from tunesmith.domains.workbench.service.models import ModelBench
from tunesmith.domains.workbench.service.train import TrainBench
from tunesmith.domains.workbench.service.train_advice import TrainAdvice

__all__ = ["ChatBench", "DatasetBench", "GgufBench", "ModelBench", "TrainAdvice", "TrainBench"]
