"""Every setting, with its default and what it is for. The environment is read here and nowhere else.

Names: ``TUNESMITH_`` + the path with ``__`` between groups, e.g. ``TUNESMITH_JOBS__LEASE_SECONDS=15``; a ``.env`` file works too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tunesmith.settings.groups import (
    ApiSettings,
    AxolotlSettings,
    DatabaseSettings,
    DatasetSettings,
    ExportSettings,
    JobSettings,
    Mode,
    ModelSettings,
    RuntimeSettings,
    S3Settings,
    ScoreWeights,
    StorageSettings,
    TrackingSettings,
    TrainingSettings,
)

__all__ = [
    "ALIASES",
    "HUB_SECRETS",
    "ApiSettings",
    "AxolotlSettings",
    "DatabaseSettings",
    "DatasetSettings",
    "ExportSettings",
    "JobSettings",
    "Mode",
    "ModelSettings",
    "RuntimeSettings",
    "S3Settings",
    "ScoreWeights",
    "Settings",
    "StorageSettings",
    "TrackingSettings",
    "TrainingSettings",
    "load_settings",
]

ALIASES = {
    "DATABASE_URL": "TUNESMITH_DATABASE__URL",
    "HF_HOME": "TUNESMITH_MODELS__HF_HOME",
    "MLFLOW_TRACKING_URI": "TUNESMITH_TRACKING__MLFLOW_URI",
    "TRANSFORMERS_CACHE": "TUNESMITH_MODELS__HF_HOME",
    "HF_TOKEN": "TUNESMITH_MODELS__HF_TOKEN",
    "HF_ENDPOINT": "TUNESMITH_MODELS__HUB_ENDPOINT",
    "HF_HUB_OFFLINE": "TUNESMITH_MODELS__HUB_OFFLINE",
    "WORKER_CONCURRENCY": "TUNESMITH_JOBS__CONCURRENCY",
    "WORKER_LOG_LEVEL": "TUNESMITH_LOG_LEVEL",
}
"""Names that other tools use, accepted beside ours; ours wins, and of two for one setting the first."""
HUB_SECRETS = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
"""What no child sees but the one that talks to the Hub, which is given its own."""


class Settings(BaseSettings):
    """All settings. Built once, in ``bootstrap`` or at the edge that starts the process, and handed down."""

    model_config = SettingsConfigDict(
        env_prefix="TUNESMITH_", env_nested_delimiter="__", env_file=".env", env_file_encoding="utf-8", extra="ignore"
    )

    mode: Mode = Field(Mode.LOCAL, description="`local` (one owner, loopback) or `team`.")
    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("tunesmith", appauthor=False)),
        description="Folder of the database, the store, run directories and logs.",
    )
    device: Literal["auto", "mps", "cuda", "cpu"] = Field(
        "auto", description="Device; `auto` takes the first of mps, cuda, cpu."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line that is written."
    )
    log_json: bool = Field(True, description="Write logs as JSON lines.")
    api: ApiSettings = Field(default_factory=ApiSettings, description="The HTTP server.")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="Where rows live.")
    storage: StorageSettings = Field(default_factory=StorageSettings, description="Where files live.")
    jobs: JobSettings = Field(default_factory=JobSettings, description="Workers, leases and children.")
    datasets: DatasetSettings = Field(default_factory=DatasetSettings, description="Limits on data, scoring.")
    runtime: RuntimeSettings = Field(default_factory=RuntimeSettings, description="Loaded models.")
    axolotl: AxolotlSettings = Field(default_factory=AxolotlSettings, description="The engine `axolotl`.")
    training: TrainingSettings = Field(default_factory=TrainingSettings, description="How runs are trained.")
    export: ExportSettings = Field(default_factory=ExportSettings, description="Exports and their certificates.")
    models: ModelSettings = Field(default_factory=ModelSettings, description="Where models come from, and lie.")
    tracking: TrackingSettings = Field(default_factory=TrackingSettings, description="Trackers besides our own.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was said here and now, the environment, ``.env``, and last the names of other tools."""
        aliases = InitSettingsSource(settings_cls, init_kwargs=_said_by_alias())
        return init_settings, env_settings, dotenv_settings, file_secret_settings, aliases

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @cached_property
    def database_url(self) -> str:
        """The SQLAlchemy URL with its async driver."""
        url = self.database.url or f"sqlite+aiosqlite:///{self.data_dir / 'tunesmith.db'}"
        for plain, driver in (
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
            ("sqlite://", "sqlite+aiosqlite://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @property
    def store_dir(self) -> Path:
        """Root of the local store."""
        return self.data_dir / "store"

    @property
    def runs_dir(self) -> Path:
        """Run directories, one folder a job."""
        return self.data_dir / "runs"

    @property
    def allowed_model_roots(self) -> list[Path]:
        """Folders that models may be loaded from."""
        if self.models.allowed_roots:
            return [*self.models.allowed_roots, self.data_dir]
        return [Path.home(), self.data_dir] if self.mode is Mode.LOCAL else [self.data_dir]

    def child_environment(self) -> dict[str, str]:
        """The environment of child processes: nothing phones home, no setting of ours leaks in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TUNESMITH_") and k not in HUB_SECRETS}
        quiet = {
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait starve their neighbours
            "PYTHONUNBUFFERED": "1",
            "WANDB_MODE": "disabled",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        if self.models.hf_home:
            quiet["HF_HOME"] = str(self.models.hf_home)
        return kept | quiet

    def worker_environment(self) -> dict[str, str]:
        """The environment of a worker process that shall have these very settings, whatever set them."""
        return dict(os.environ) | dict(_as_environment("TUNESMITH", self))


def _said_by_alias() -> dict[str, Any]:
    """The settings that the environment has under another tool's name, nested as ours are."""
    said: dict[str, Any] = {}
    for alias, name in ALIASES.items():
        if alias not in os.environ:
            continue
        *groups, field = name.removeprefix("TUNESMITH_").lower().split("__")
        place = said
        for group in groups:
            place = place.setdefault(group, {})
        place.setdefault(field, os.environ[alias])
    return said


def _as_environment(prefix: str, group: BaseModel) -> Iterator[tuple[str, str]]:
    separator = "_" if isinstance(group, BaseSettings) else "__"
    for name in group.model_fields_set:
        value = getattr(group, name)
        key = f"{prefix}{separator}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _as_environment(key, value)
        elif isinstance(value, SecretStr):
            yield key, value.get_secret_value()
        elif isinstance(value, dict):
            yield key, json.dumps(value)
        elif isinstance(value, list):
            yield key, ",".join(str(item) for item in value)
        elif value is not None:
            yield key, str(value)


def load_settings(**overrides: object) -> Settings:
    """Read the environment (with the aliases of other tools) and apply ``overrides`` on top.

    Raises ``pydantic.ValidationError`` naming the setting that is wrong.
    """
    return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
