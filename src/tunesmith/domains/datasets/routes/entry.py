"""What every route of datasets takes: who asks, the services, the id."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets.derivation.service import DerivationService
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.versions.service import VersionService
from tunesmith.domains.datasets.xray import XrayService
from tunesmith.domains.jobs import JobService
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, allow, provide, reading

PREFIX = "/api/v1/admin/training/datasets"
TAG = "training data"

Reads = Annotated[Unit, reading(Permission.READ)]
Reader = Annotated[Access, allow(Permission.READ)]
Entry = Annotated[Access, allow(Permission.DATA_WRITE)]
Datasets = Annotated[DatasetService, provide(DatasetService)]
Derivations = Annotated[DerivationService, provide(DerivationService)]
Versions = Annotated[VersionService, provide(VersionService)]
Outputs = Annotated[OutputService, provide(OutputService)]
Xrays = Annotated[XrayService, provide(XrayService)]
Jobs = Annotated[JobService, provide(JobService)]
DatasetId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the dataset.")]
Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the answer; then 202 with the job.")]
