"""Advice on training the current model on the current dataset: what to set, and what it will take."""

from __future__ import annotations

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobView
from tunesmith.domains.models import ModelStore, ResolvedModel
from tunesmith.domains.training import Adviser, JobForm, Recommendation, TrainingService
from tunesmith.domains.workbench import repository
from tunesmith.domains.workbench.errors import NoCurrentModel
from tunesmith.domains.workbench.schemas.train_advice import PrepareRequest, RecommendRequest
from tunesmith.domains.workbench.service.configuration import recipe_of
from tunesmith.domains.workbench.service.datasets import DatasetBench


class TrainAdvice:
    """Recommends and forecasts for one person."""

    def __init__(
        self, *, models: ModelStore, datasets: DatasetBench, adviser: Adviser, training: TrainingService
    ) -> None:
        self._models = models
        self._datasets = datasets
        self._adviser = adviser
        self._training = training

    async def recommend(self, access: Access, asked: RecommendRequest) -> Recommendation:
        """A configuration with its reasons. Raises NoCurrentModel and NoCurrentDataset where nothing is named."""
        dataset_id = await self._dataset_id(access, asked)
        async with access.read() as unit:
            model = await self._model(unit, asked)
            memory = int(asked.available_memory_gb * 1e9) if asked.available_memory_gb else None
            return await self._adviser.recommend(unit, model, dataset_id, available_memory_bytes=memory)

    async def prepare(self, access: Access, asked: PrepareRequest) -> JobView:
        """Have the run rehearsed: what is configured for the next one, else what is recommended with the changes that are asked for."""
        dataset_id = await self._dataset_id(access, asked)
        async with access.write("train.prepare", resource=f"dataset:{dataset_id}") as unit:
            model = await self._model(unit, asked)
            state = await repository.find_state(unit)
            if not asked.hyperparameters and state is not None and state.training:
                dataset = await self._training.datasets.get(unit, dataset_id)
                data = {"train": f"dataset:{dataset.name}@{dataset.version}"}
                recipe = recipe_of(state.training, name="Prepared", base=model.reference, data=data)
                return await self._training.forecast(unit, recipe)
            form = JobForm(
                job_name="Prepared",
                base_model=model.reference,
                dataset_id=dataset_id,
                hyperparameters=asked.hyperparameters,
            )
            return await self._training.forecast(unit, form)

    async def _dataset_id(self, access: Access, asked: RecommendRequest) -> int:
        return asked.dataset_id or (await self._datasets.current(access)).dataset.id

    async def _model(self, unit: Unit, asked: RecommendRequest) -> ResolvedModel:
        if asked.model is not None:
            return await self._models.resolve(asked.model, unit=unit)
        state = await repository.find_state(unit)
        if state is None or state.model_path is None:
            raise NoCurrentModel("No model is loaded, and none is named.")
        return await self._models.resolve(state.model_id or state.model_path, unit=unit)
