"""Settings → adapters → services: the one file that knows everything. Building does no I/O; ``start`` does."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from fastapi import APIRouter

from tunesmith.adapters.hub.huggingface import HuggingFaceHub
from tunesmith.adapters.serving.addressed import RemoteBackend, TgiBackend, VllmBackend
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.adapters.serving.llamacpp import LlamaCppBackend
from tunesmith.adapters.serving.mlx import MlxBackend
from tunesmith.adapters.serving.onnx import OnnxBackend
from tunesmith.adapters.serving.transformers import TransformersBackend
from tunesmith.adapters.storage.local import LocalStorage
from tunesmith.adapters.tracking import trackers
from tunesmith.adapters.training import training_engine
from tunesmith.db import Database
from tunesmith.db.migrate import ensure_schema
from tunesmith.domains.accounts import AccountService
from tunesmith.domains.chat import Answerer, ConversationService
from tunesmith.domains.datasets import (
    DatasetService,
    DerivationService,
    ExplorationService,
    MappingService,
    OutputService,
    SemanticService,
    UploadService,
    VersionService,
    XrayService,
)
from tunesmith.domains.datasets.tasks import kinds as dataset_kinds
from tunesmith.domains.evaluation import EvaluationService, Evaluator
from tunesmith.domains.evaluation import kinds as evaluation_kinds
from tunesmith.domains.export import Exporter, ExportService, GgufValidator, PushService, gguf_kinds
from tunesmith.domains.export import kinds as export_kinds
from tunesmith.domains.jobs import JobService
from tunesmith.domains.models import ArchiveService, HubService, ModelStore
from tunesmith.domains.models.tasks import kinds as model_kinds
from tunesmith.domains.projects import ProjectService
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.registry import kinds as registry_kinds
from tunesmith.domains.runtime import ModelResolver, RuntimeService
from tunesmith.domains.training import Adviser, Mirrors, ModelSaver, RecipeBook, TrainingService, saving_kinds
from tunesmith.domains.training import kinds as training_kinds
from tunesmith.domains.workbench import ChatBench, DatasetBench, GgufBench, ModelBench, TrainAdvice, TrainBench
from tunesmith.kit.principal import Principal
from tunesmith.ports.serving import Servable, ServingBackend
from tunesmith.ports.storage import Storage
from tunesmith.settings import Settings


@dataclass
class DataServices:
    """What makes, examines and changes datasets."""

    datasets: DatasetService
    xray: XrayService
    semantic: SemanticService
    uploads: UploadService
    mappings: MappingService
    derivations: DerivationService
    versions: VersionService
    explorations: ExplorationService
    outputs: OutputService
    dataset_bench: DatasetBench


@dataclass
class BaseServices:
    """What everything else stands on: database, store, jobs, models and the runtime."""

    settings: Settings
    database: Database
    storage: Storage
    accounts: AccountService
    projects: ProjectService
    jobs: JobService
    models: ModelStore
    hub: HubService
    archives: ArchiveService
    runtime: RuntimeService
    registry: RegistryService
    resolver: ModelResolver
    bench: ModelBench


@dataclass
class ResultServices:
    """What is done with models: measured, exported, pushed."""

    evaluation: EvaluationService
    export: ExportService
    push: PushService
    gguf_bench: GgufBench


@dataclass
class TrainServices:
    """What trains models."""

    training: TrainingService
    recipes: RecipeBook
    saver: ModelSaver
    train_bench: TrainBench
    train_advice: TrainAdvice


@dataclass
class ChatServices:
    """What talks to people."""

    conversations: ConversationService
    answers: Answerer
    chat_bench: ChatBench


@dataclass
class Services(BaseServices, DataServices, ResultServices, TrainServices, ChatServices):
    """Everything that the program is made of, built once and handed down."""

    def by_type(self, service: type[Any]) -> Any:
        """The service of that class."""
        found: dict[type[Any], Any] = self.__dict__.setdefault("_found", {})  # asked several times by every request
        if service not in found:
            values = [getattr(self, field.name) for field in fields(self)]
            if not (fitting := [value for value in values if isinstance(value, service)]):
                raise LookupError(f"bootstrap builds no {service.__name__}")
            found[service] = fitting[0]
        return found[service]

    async def start(self) -> None:
        """Make the folders, bring the database to this version, make the owner and the default project."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        for folder in (self.settings.store_dir, self.settings.runs_dir):
            folder.mkdir(exist_ok=True)
        await ensure_schema(self.database)
        async with self.database.write(Principal(0, "system", "admin", 0)) as unit:
            owner_id = await self.accounts.ensure_owner(unit.session)
            await self.projects.ensure_default(unit.session, owner_id)

    async def close(self) -> None:
        """Let go of connections and children."""
        await self.bench.close()
        await self.training.mirrors.close()
        await self.runtime.close()
        await self.database.close()

    async def owner(self) -> Principal:
        """The principal of local mode."""
        async with self.database.read(Principal(0, "system", "admin", 0)) as unit:
            owner_id = await self.accounts.ensure_owner(unit.session)
            return await self.projects.principal_of(unit.session, owner_id)


def build(settings: Settings) -> Services:
    """Build every service for ``settings``."""
    base = _base(settings)
    data = _data(base)
    results = _results(base, data)
    training = _training(base, data, results)
    _declare_kinds(base, data, results, training)
    return Services(**vars(base), **vars(data), **vars(results), **vars(training), **vars(_chat(base, data)))


def _base(settings: Settings) -> BaseServices:
    database = Database(settings.database_url, settings.database.pool_size)
    accounts = AccountService()
    projects = ProjectService(accounts=accounts)
    jobs = JobService(settings=settings, database=database, projects=projects)
    storage = _storage(settings)
    registry = RegistryService(storage=storage, jobs=jobs, cache_dir=settings.data_dir / "cache" / "models")
    models = ModelStore(settings=settings)
    runtime = RuntimeService(settings=settings, backends=serving_backends())
    hub = _hub(settings, models, jobs, runtime)
    archives = ArchiveService(settings=settings, jobs=jobs)
    return BaseServices(
        settings=settings,
        database=database,
        storage=storage,
        accounts=accounts,
        projects=projects,
        jobs=jobs,
        models=models,
        hub=hub,
        archives=archives,
        runtime=runtime,
        registry=registry,
        resolver=ModelResolver(settings=settings, models=models, registry=registry, jobs=jobs),
        bench=ModelBench(models=models, runtime=runtime, hub=hub, archives=archives, jobs=jobs),
    )


def _data(base: BaseServices) -> DataServices:
    settings, jobs, models, find_model = base.settings, base.jobs, base.models, base.resolver.resolve
    datasets = DatasetService(storage=base.storage, jobs=jobs, settings=settings)
    uploads = UploadService(storage=base.storage, settings=settings)
    derivations = DerivationService(datasets=datasets, jobs=jobs, models=models)
    outputs = OutputService(derivations=derivations, jobs=jobs, models=models)
    explorations = ExplorationService(datasets=datasets, jobs=jobs, models=models, find_model=find_model)
    return DataServices(
        datasets=datasets,
        uploads=uploads,
        derivations=derivations,
        outputs=outputs,
        explorations=explorations,
        versions=VersionService(datasets=datasets, jobs=jobs),
        xray=XrayService(datasets=datasets, jobs=jobs, find_model=find_model),
        semantic=SemanticService(datasets=datasets, jobs=jobs, find_model=find_model),
        mappings=MappingService(datasets=datasets, uploads=uploads),
        dataset_bench=DatasetBench(
            settings=settings,
            datasets=datasets,
            explorations=explorations,
            derivations=derivations,
            outputs=outputs,
            uploads=uploads,
            jobs=jobs,
        ),
    )


def _results(base: BaseServices, data: DataServices) -> ResultServices:
    settings, jobs, registry, resolver = base.settings, base.jobs, base.registry, base.resolver
    export = ExportService(
        settings=settings,
        jobs=jobs,
        registry=registry,
        resolver=resolver,
        storage=base.storage,
        datasets=data.datasets,
    )
    return ResultServices(
        evaluation=EvaluationService(jobs=jobs, registry=registry, datasets=data.datasets, resolver=resolver),
        export=export,
        push=PushService(
            settings=settings,
            hub=base.hub,
            jobs=jobs,
            registry=registry,
            resolver=resolver,
            exports=export,
            storage=base.storage,
        ),
        gguf_bench=GgufBench(settings=settings, export=export, jobs=jobs, models=base.models, resolver=resolver),
    )


def _training(base: BaseServices, data: DataServices, results: ResultServices) -> TrainServices:
    settings, jobs, models, datasets = base.settings, base.jobs, base.models, data.datasets
    mirrors = Mirrors(
        settings=settings,
        database=base.database,
        jobs=jobs,
        datasets=datasets,
        registry=base.registry,
        trackers=trackers(settings),
    )
    base.registry.listeners.append(mirrors.note_version)
    adviser = Adviser(models=models, datasets=datasets)
    training = TrainingService(
        settings=settings,
        jobs=jobs,
        models=models,
        datasets=datasets,
        engine=training_engine(settings.training.engine, settings),
        mirrors=mirrors,
        adviser=adviser,
    )
    return TrainServices(
        training=training,
        recipes=RecipeBook(),
        saver=ModelSaver(settings=settings, jobs=jobs),
        train_bench=TrainBench(
            training=training,
            evaluation=results.evaluation,
            datasets=data.dataset_bench,
            xray=data.xray,
            models=models,
            jobs=jobs,
        ),
        train_advice=TrainAdvice(models=models, datasets=data.dataset_bench, adviser=adviser, training=training),
    )


def _chat(base: BaseServices, data: DataServices) -> ChatServices:
    settings, runtime = base.settings, base.runtime
    conversations = ConversationService(settings=settings, datasets=data.datasets)
    answers = Answerer(settings=settings, conversations=conversations, runtime=runtime, resolver=base.resolver)
    return ChatServices(
        conversations=conversations,
        answers=answers,
        chat_bench=ChatBench(
            settings=settings, conversations=conversations, answers=answers, runtime=runtime, models=base.models
        ),
    )


def _declare_kinds(base: BaseServices, data: DataServices, results: ResultServices, training: TrainServices) -> None:
    """Tell the job service what each slice can do."""
    exporter = Exporter(
        settings=base.settings,
        service=results.export,
        registry=base.registry,
        datasets=data.datasets,
        runtime=base.runtime,
        resolver=base.resolver,
        storage=base.storage,
    )
    evaluator = Evaluator(
        service=results.evaluation,
        registry=base.registry,
        datasets=data.datasets,
        runtime=base.runtime,
        resolver=base.resolver,
        storage=base.storage,
    )
    for kind in (
        *dataset_kinds(
            data.datasets, data.derivations, data.versions, data.outputs, data.explorations, data.xray, data.semantic
        ),
        *registry_kinds(base.registry),
        *export_kinds(exporter),
        *gguf_kinds(GgufValidator(runtime=base.runtime)),
        *evaluation_kinds(evaluator),
        *training_kinds(training.training),
        *model_kinds(base.hub),
        *results.push.kinds(),
        *saving_kinds(),
    ):
        base.jobs.register(kind)


def _hub(settings: Settings, models: ModelStore, jobs: JobService, runtime: RuntimeService) -> HubService:
    return HubService(
        settings=settings,
        hub=HuggingFaceHub(settings.models.hub_endpoint, offline=settings.models.hub_offline),
        store=models,
        jobs=jobs,
        in_use=lambda path: runtime.find_loaded(Servable(path.name, path, None, path)) is not None,
    )


def serving_backends() -> dict[str, ServingBackend]:
    """Every way to serve a model, by name."""
    known: tuple[ServingBackend, ...] = (
        TransformersBackend(),
        LlamaCppBackend(),
        OnnxBackend(),
        MlxBackend(),
        VllmBackend(),
        TgiBackend(),
        RemoteBackend(),
        FakeBackend(),
    )
    return {backend.name: backend for backend in known}


def _storage(settings: Settings) -> Storage:
    if settings.storage.backend == "local":
        return LocalStorage(settings.store_dir)
    from tunesmith.adapters.storage.s3 import S3Storage  # only those who use it need its library

    return S3Storage(settings.storage.s3)


def routers() -> list[APIRouter]:
    """The routes of every slice, the gateway's first."""
    from tunesmith.domains.chat.routes import router as conversations
    from tunesmith.domains.datasets.routes import ROUTERS as datasets
    from tunesmith.domains.evaluation.routes import router as evaluation
    from tunesmith.domains.export.routes import router as export
    from tunesmith.domains.jobs.routes import live
    from tunesmith.domains.jobs.routes import router as jobs
    from tunesmith.domains.models.routes import router as base_models
    from tunesmith.domains.registry.routes import router as registry
    from tunesmith.domains.serving.gateway import router as gateway
    from tunesmith.domains.training.routes import recipes
    from tunesmith.domains.training.routes import router as training
    from tunesmith.domains.workbench.routes import ROUTERS as workbench

    return [
        gateway,
        jobs,
        live,
        *datasets,
        base_models,
        registry,
        training,
        recipes,
        evaluation,
        export,
        conversations,
        *workbench,
    ]
