"""The groups of settings: what each field is called, what it is for, and its default."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from tunesmith.wire.serving import RemoteAddress

_REMOTE = re.compile(r"^([A-Za-z0-9_-]{1,64})=(?:(vllm|tgi)\+)?(https?://[^#\s]+)(?:#(\S+))?$")


def split_list(value: object) -> object:
    """A list as the environment gives it: parts between commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Mode(StrEnum):
    """``local``: one owner, loopback only. ``team``: accounts (refuses to start without real secrets)."""

    LOCAL = "local"
    TEAM = "team"


class ApiSettings(BaseModel):
    """The HTTP server."""

    host: str = Field("127.0.0.1", description="Address to listen on. Local mode accepts loopback addresses only.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Origins besides the served UI that may call the API, separated by commas. `*` is refused.",
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Host names besides loopback that the Host header may carry."
    )
    idempotency_hours: int = Field(24, ge=1, description="How long the first answer to an Idempotency-Key is kept.")

    @field_validator("cors_origins", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("cors_origins")
    @classmethod
    def _no_wildcard(cls, value: list[str]) -> list[str]:
        if "*" in value:
            raise ValueError("`*` is refused because calls carry credentials; name the origins")
        return value


class DatabaseSettings(BaseModel):
    """Where rows live."""

    url: str | None = Field(None, description="SQLAlchemy URL; default is SQLite in the data folder.")
    pool_size: int = Field(10, ge=1, description="Connections kept open (PostgreSQL).")


class S3Settings(BaseModel):
    """An S3-compatible object store."""

    bucket: str = Field("tunesmith", description="Bucket name.")
    prefix: str = Field("", description="Key prefix inside the bucket.")
    endpoint_url: str | None = Field(None, description="Address of the store; default is the provider's.")
    region: str = Field("us-east-1", description="Region.")
    access_key_id: SecretStr | None = Field(None, description="Access key; default is the machine's own identity.")
    secret_access_key: SecretStr | None = Field(None, description="Secret key.")
    allow_http: bool = Field(False, description="Allow an endpoint without TLS.")


class StorageSettings(BaseModel):
    """Where files live."""

    backend: Literal["local", "s3"] = Field("local", description="`local` (the data folder) or `s3`.")
    s3: S3Settings = Field(default_factory=S3Settings, description="Used when the backend is `s3`.")


class JobSettings(BaseModel):
    """Workers, leases and children."""

    lease_seconds: float = Field(
        15.0, gt=0, description="A worker that has not renewed its lease for this long loses its job."
    )
    poll_seconds: float = Field(0.2, gt=0, description="How often a worker looks for work and copies events.")
    concurrency: int = Field(1, ge=1, le=64, description="Jobs a worker runs at once.")
    max_starts_without_checkpoint: int = Field(
        3, ge=1, description="Starts of a child without a new checkpoint before the job fails."
    )
    max_runtime_hours: float = Field(24.0, gt=0, description="A job that runs longer is ended as failed.")
    stop_grace_seconds: float = Field(
        60.0, gt=0, description="How long a child may take to save a checkpoint when stopped or cancelled."
    )


class ScoreWeights(BaseModel):
    """What a row costs a dataset's quality score, by the worst finding that it has."""

    red: float = Field(1.0, ge=0, le=1, description="Cost of a row that cannot be trained on.")
    amber: float = Field(0.25, ge=0, le=1, description="Cost of a suspicious row.")
    green: float = Field(0.02, ge=0, le=1, description="Cost of a row with a finding for information.")


class DatasetSettings(BaseModel):
    """Limits on data, and how it is scored."""

    max_file_size_bytes: int = Field(100 * 2**20, ge=1, description="Largest form upload, in bytes.")
    max_row_bytes: int = Field(16 * 2**20, ge=1024, description="Largest single record, in bytes.")
    max_unpacked_bytes: int = Field(64 * 2**30, ge=1, description="Most that a packed file may unpack to, in bytes.")
    max_unpacked_ratio: int = Field(
        250,
        ge=2,
        description="Most that a packed file may grow when it is unpacked; beyond 64 MiB it is taken for a trap.",
    )
    min_free_disk_bytes: int = Field(
        1 * 2**30, ge=0, description="Free disk space, in bytes, that an upload in parts or an unpacking must leave."
    )
    upload_expires_hours: float = Field(
        24.0, gt=0, description="An upload in parts that has stood still for this long is removed."
    )
    score_weights: ScoreWeights = Field(
        default_factory=ScoreWeights, description="Costs of rows in the quality score (formula: reference of findings)."
    )
    names_model: str | None = Field(
        None,
        min_length=1,
        description="spaCy pipeline that finds names and addresses: the name of its package, its folder, or `blank` for `known_names` "
        "and Korean addresses only. Needs the extra `pii`.",
    )
    known_names: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Names that are always found, separated by commas; needs `names_model`."
    )

    @field_validator("known_names", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        return split_list(value)


class RuntimeSettings(BaseModel):
    """Loaded models."""

    max_loaded_models: int = Field(
        3, ge=1, description="Models kept loaded; the least recently used one is unloaded first."
    )
    idle_unload_seconds: float = Field(900.0, gt=0, description="An unused model is unloaded after this time.")
    start_timeout_seconds: float = Field(180.0, gt=0, description="How long a model may take to load.")
    max_tokens_limit: int = Field(4096, ge=1, description="Largest max_tokens that a request may ask for.")
    request_timeout_seconds: float = Field(600.0, gt=0, description="Longest time one answer may take.")
    remotes: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Models that run elsewhere behind OpenAI's API, as `NAME=http://host:port/v1` or `NAME=…/v1#MODEL`, separated "
        "by commas; `vllm+http://…` and `tgi+http://…` name the program. Asked for as `remote:NAME`.",
    )
    remote_keys: SecretStr | None = Field(None, description="Their API keys, as `NAME=KEY`, separated by commas.")

    @field_validator("remotes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("remotes")
    @classmethod
    def _readable(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not _REMOTE.match(entry):
                raise ValueError(f"{entry!r} is not of the form NAME=http://host:port/v1")
        return value

    def remote_addresses(self) -> dict[str, RemoteAddress]:
        """The models that run elsewhere, by name."""
        said = self.remote_keys.get_secret_value() if self.remote_keys else ""
        keys = dict(part.strip().split("=", 1) for part in said.split(",") if "=" in part)
        found: dict[str, RemoteAddress] = {}
        for entry in self.remotes:
            if parts := _REMOTE.match(entry):
                name, kind, url, model = parts.groups()
                key = SecretStr(keys[name]) if name in keys else None
                found[name] = RemoteAddress.model_validate(
                    {"kind": kind or "remote", "url": url, "model": model, "key": key}
                )
        return found


class TrainingSettings(BaseModel):
    """How runs are trained."""

    engine: Literal["trl", "axolotl", "mlx", "fake"] = Field(
        "trl",
        description="`trl` trains here; `axolotl` runs its command line or container; `mlx` is for Apple silicon; `fake` only "
        "pretends to, for demonstrations and work on the web page.",
    )


class AxolotlSettings(BaseModel):
    """Axolotl, which lives in an environment of its own."""

    python: Path | None = Field(
        None,
        description="Python of the environment that it is installed in; empty: the `axolotl` command that is found.",
    )
    image: str | None = Field(
        None, description="Container image to run it in instead, e.g. `axolotlai/axolotl:main-latest`."
    )
    runtime: Literal["docker", "podman"] = Field("docker", description="What runs the container.")
    launcher: Literal["accelerate", "torchrun", "python"] = Field(
        "accelerate", description="What it starts its processes with; `python` is one process."
    )
    custom: dict[str, Any] = Field(
        default_factory=dict, description="Keys of its configuration that stand above what a recipe says (JSON)."
    )


class ExportSettings(BaseModel):
    """Exports and their certificates."""

    certificate_prompts: int = Field(
        32,
        ge=1,
        le=1000,
        description="Prompts that a certificate asks. Use 32 or more; fewer are for tests, and the certificate says so.",
    )


class TrackingSettings(BaseModel):
    """Trackers that runs are mirrored to. None is used until it is configured."""

    mlflow_uri: str | None = Field(
        None, description="MLflow: address of its tracking server, or a database of it (also MLFLOW_TRACKING_URI)."
    )
    wandb_mode: Literal["off", "offline", "online"] = Field(
        "off", description="Weights & Biases: `offline` writes runs into the data folder for `wandb sync`."
    )
    wandb_api_key: SecretStr | None = Field(None, description="Key of Weights & Biases, for `online`.")
    wandb_base_url: str | None = Field(None, description="Address of your own W&B server.")
    wandb_entity: str | None = Field(None, description="Team or person that the W&B projects belong to.")
    interval_seconds: float = Field(3.0, gt=0, description="How often a worker delivers what trackers are owed.")
    timeout_seconds: float = Field(60.0, gt=0, description="How long a tracker may take for one delivery.")
    outbox_points: int = Field(
        20_000,
        ge=1,
        description="Points of one run that wait for a tracker that is away; beyond it the oldest are not mirrored.",
    )


class ModelSettings(BaseModel):
    """Where models come from, and where they may be read from."""

    allowed_roots: Annotated[list[Path], NoDecode] = Field(
        default_factory=list,
        description="Folders that models may be loaded from, separated by commas; default in local mode is the home folder "
        "and the data folder, in team mode the data folder.",
    )
    hf_home: Path | None = Field(None, description="Hub cache folder (HF_HOME).")
    hub_endpoint: str = Field(
        "https://huggingface.co",
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="Address of the Hub (HF_ENDPOINT).",
    )
    hub_offline: bool = Field(False, description="Never talk to the Hub (HF_HUB_OFFLINE).")
    hf_token: SecretStr | None = Field(
        None, description="Token for the Hub, where a call brings none of its own (HF_TOKEN)."
    )
    max_archive_bytes: int = Field(
        64 * 2**30, ge=1, description="Largest model archive that may be uploaded, in bytes."
    )
    max_unpacked_bytes: int = Field(256 * 2**30, ge=1, description="Most that a model archive may unpack to, in bytes.")
    max_unpacked_ratio: int = Field(
        50, ge=2, description="Most that a model archive may grow; beyond 64 MiB it is taken for a trap."
    )
    min_free_disk_bytes: int = Field(
        1 * 2**30, ge=0, description="Free disk space, in bytes, that a download or an upload must leave."
    )

    @field_validator("allowed_roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)
