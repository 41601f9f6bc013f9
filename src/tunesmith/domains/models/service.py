"""The local store: which models are here, what they are, and whether they fit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import anyio
from sqlalchemy.exc import IntegrityError

from tunesmith.db import Unit
from tunesmith.domains.models import memory, places, repository
from tunesmith.domains.models.errors import ModelInvalid, ModelNotFound, PickleWeights, RemoteCode
from tunesmith.domains.models.fits import FitsHere, fits_here
from tunesmith.domains.models.inspection import Inspection, inspect_folder
from tunesmith.domains.models.schemas import LocalModel, MemoryEstimate, MemoryState, ModelMetadata, ResolvedModel
from tunesmith.domains.models.tables import ModelRow
from tunesmith.kit.clock import utc_now
from tunesmith.kit.ids import slugify
from tunesmith.settings import Settings

LISTED = 1000


class ModelStore:
    """Finds model folders and looks through them; never loads one."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings
        self._meter = memory.MemoryMeter()
        self._seen: dict[tuple[str, int], Inspection] = {}

    async def resolve(self, reference: str, *, unit: Unit, base_dir: Path | None = None) -> ResolvedModel:
        """The model that ``./folder``, an absolute path, ``tunesmith/tiny`` or a Hub id in the local store names.

        Raises ``PathNotAllowed``, ``ModelNotFound``, and what ``inspect`` raises.
        """
        if reference == places.BUNDLED:
            return await self._resolved(reference, places.bundled_folder(), reference)
        if places.is_path(reference):
            folder = await anyio.to_thread.run_sync(places.allowed_folder, reference, self._settings, base_dir)
            row = await repository.find_by_path(unit, str(folder))
            return await self._resolved(reference, folder, row.model_id if row else folder.name)
        places.check_hub_id(reference)
        row = await repository.find_by_model_id(unit, reference)
        if row is not None:
            folder = await anyio.to_thread.run_sync(places.allowed_folder, row.path, self._settings, None)
            return await self._resolved(reference, folder, row.model_id)
        cached = await anyio.to_thread.run_sync(places.find_in_cache, reference, self._settings)
        if cached is None:
            raise ModelNotFound(f"There is no model {reference!r} in the local store.")
        return await self._resolved(reference, cached[0], reference, cached[1] or None)

    async def allowed_folder(self, reference: str) -> Path:
        """A folder that a path names, under the roots; raises ``PathNotAllowed`` and ``ModelNotFound``."""
        return await anyio.to_thread.run_sync(places.allowed_folder, reference, self._settings, None)

    async def allowed_file(self, reference: str, *, base_dir: Path | None = None) -> Path:
        """A file that a path names, in a folder under the roots; raises ``PathNotAllowed`` and ``ModelNotFound``."""
        return await anyio.to_thread.run_sync(places.allowed_file, reference, self._settings, base_dir)

    async def inspect(self, path: Path, model_id: str | None = None, revision: str | None = None) -> ModelMetadata:
        """What a folder holds, from its configuration and the headers of its files.

        Raises ``ModelInvalid``, ``PickleWeights`` and ``RemoteCode``.
        """
        return await anyio.to_thread.run_sync(self._inspect, path, model_id or path.name, revision)

    async def remember(self, unit: Unit, model: ResolvedModel) -> str:
        """Note that ``model`` was used; answers the name that it has in the local store from now on."""
        if model.reference == places.BUNDLED:
            return places.BUNDLED
        return (await self.name_row(unit, model)).model_id

    async def name_row(self, unit: Unit, model: ResolvedModel) -> ModelRow:
        """The row of a model folder, made when there is none, with what is known of it now."""
        row = await repository.find_by_path(unit, str(model.path))
        if row is None:
            row = ModelRow(
                model_id=await self._free_name(unit, model),
                path=str(model.path),
                project_id=unit.principal.project_id,
                created_by=unit.principal.user_id,
            )
        notes = (row.model_metadata or {}).get("notes")
        row.model_metadata = model.metadata.model_dump(mode="json", exclude={"loaded_at"}) | {"notes": notes}
        row.last_used = utc_now()
        try:
            async with unit.session.begin_nested():
                unit.session.add(row)
        except IntegrityError:  # the same folder was loaded twice at the same moment
            row = await repository.find_by_path(unit, str(model.path)) or row
        return row

    async def list_local(self, unit: Unit) -> list[LocalModel]:
        """The bundled model, what was used here (the last used first), and what the Hub's cache holds."""
        rows, _ = await repository.list_models(unit, 0, LISTED)
        known = {row.path for row in rows}
        used = [(row.model_id, Path(row.path), row.last_used) for row in rows]
        return await anyio.to_thread.run_sync(self._list, used, known)

    def memory_estimate(self, num_parameters: int, metadata: ModelMetadata | None = None) -> MemoryEstimate:
        """What a model of this size takes here; the formula is in ``memory``."""
        device = self.device()
        available = int(self._meter.read(device).available_gb * 1e9)
        context = metadata.context_length if metadata else None
        return memory.estimate(num_parameters, device=device, available_bytes=available, context_length=context)

    def fits_here(self, num_parameters: int, cache_bytes_per_token: int = 0, context: int | None = None) -> FitsHere:
        """Whether a model of this size fits here now, to answer and to be tuned."""
        device = self.device()
        available = int(self._meter.read(device).available_gb * 1e9)
        return fits_here(
            num_parameters,
            device=device,
            available_bytes=available,
            cache_bytes_per_token=cache_bytes_per_token,
            context_length=context,
        )

    def device(self) -> str:
        """The device that models run on: what the settings say, else the first of mps, cuda, cpu. May take seconds once."""
        return memory.detect_device() if self._settings.device == "auto" else self._settings.device

    def memory(self) -> MemoryState:
        """Memory of that device."""
        return self._meter.read(self.device())

    async def _resolved(self, reference: str, path: Path, model_id: str, revision: str | None = None) -> ResolvedModel:
        return ResolvedModel(reference, path, await self.inspect(path, model_id, revision))

    def _inspect(self, path: Path, model_id: str, revision: str | None) -> ModelMetadata:
        found = self._inspection(path)
        if revision is None:
            said = places.read_marker(path).get("revision")
            revision = said if isinstance(said, str) else path.name if path.parent.name == "snapshots" else None
        device = self.device()
        needed = memory.inference_bytes(found.num_parameters, device, found.cache_bytes_per_token, found.context_length)
        return ModelMetadata(
            model_id=model_id,
            architecture=found.architecture,
            num_parameters=found.num_parameters,
            trainable_parameters=found.num_parameters,
            dtype=found.dtype,
            context_length=found.context_length,
            vocab_size=found.vocab_size,
            chat_template=found.chat_template,
            device=device,
            estimated_memory_gb=round(needed / 1e9, 3),
            size_bytes=found.size_bytes,
            revision=revision,
        )

    def _inspection(self, path: Path) -> Inspection:
        """Looks again only when a file of the folder has changed."""
        try:
            files = frozenset((f.name, (stat := f.stat()).st_size, stat.st_mtime_ns) for f in path.iterdir())
        except OSError as error:
            raise ModelInvalid(f"{path.name!r} cannot be read: {error.strerror}.") from error
        key = (str(path), hash(files))
        if key not in self._seen:
            if len(self._seen) > LISTED:
                self._seen.clear()
            self._seen[key] = inspect_folder(path)
        return self._seen[key]

    def _list(self, used: list[tuple[str, Path, datetime]], known: set[str]) -> list[LocalModel]:
        named: list[tuple[str, Path, datetime | None]] = [(places.BUNDLED, places.bundled_folder(), None), *used]
        named += [(n, p, None) for n, p, _ in places.list_cached(self._settings) if str(p.resolve()) not in known]
        listed = []
        for model_id, path, last_used in named:
            try:
                found = self._inspection(path)
            except (ModelInvalid, PickleWeights, RemoteCode):
                continue  # gone, or not usable: nothing that one could choose
            listed.append(
                LocalModel.model_validate(
                    {
                        "model_id": model_id,
                        "path": str(path),
                        "architecture": found.architecture,
                        "num_parameters": found.num_parameters,
                        "size_bytes": found.size_bytes,
                        "last_used": last_used,
                    }
                )
            )
        return listed

    async def _free_name(self, unit: Unit, model: ResolvedModel) -> str:
        wanted = model.metadata.model_id
        if places.is_path(wanted) or wanted == model.path.name:
            wanted = slugify(model.path.name, "model")
        name, number = wanted, 2
        while name == places.BUNDLED or await repository.find_by_model_id(unit, name) is not None:
            name, number = f"{wanted}-{number}", number + 1
        return name
