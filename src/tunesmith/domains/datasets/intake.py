"""A data file that arrives, by form or in parts, becomes a dataset version; a refusal leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.errors import DatasetCreationError, UnsupportedFormatError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate, DatasetResponse
from tunesmith.domains.datasets.service import DatasetService, next_version
from tunesmith.domains.datasets.uploads import UploadedForm, file_too_large, receive_form, receive_json
from tunesmith.kit.errors import TunesmithError
from tunesmith.ports.storage import StoredObject

FORM_OVERHEAD_BYTES = 1 << 20
DRAINED_BYTES = 64 << 20
"""A refused upload is read on (and thrown away) up to this much, so that the client gets to see the refusal."""
FIRST_VERSION = "1.0"
ID_MAX = 2**31 - 1


class Intake:
    """Receives forms. With ``names_itself`` a file without a name takes its own, and the next version that is free."""

    def __init__(
        self,
        datasets: DatasetService,
        uploads: UploadService,
        *,
        max_file_size_bytes: int | None = None,
        names_itself: bool = False,
    ) -> None:
        self._datasets = datasets
        self._uploads = uploads
        self._limit = max_file_size_bytes or datasets.limits.max_file_size_bytes
        self._names_itself = names_itself

    async def receive(
        self, access: Access, content_type: str, content_length: int | None, body: AsyncIterator[bytes]
    ) -> DatasetResponse:
        """The dataset that a form makes, multipart or JSON with an ``upload_id``; it is validated at once, in a job.

        ``body`` raises ConnectionAbortedError when the client goes away. Raises what reading the form and looking at the file
        raise, and DatasetExistsError.
        """
        form = UploadedForm()
        try:
            if content_length is not None and content_length > self._limit + FORM_OVERHEAD_BYTES:
                raise file_too_large(self._limit)
            if content_type.partition(";")[0].strip().lower() == "application/json":
                await receive_json(body, form)
            else:
                await receive_form(content_type, body, form, self._datasets.storage.put_stream, self._limit)
            return await self._keep(access, form)
        except ConnectionAbortedError:
            raise DatasetCreationError("The client went away before the upload was complete.") from None
        except BaseException as error:
            if form.stored is not None:
                async with access.write("dataset.refuse") as unit:
                    await self._datasets.forget_file(unit, form.stored)
            if isinstance(error, TunesmithError):
                await _drain(body)
            raise

    async def _keep(self, access: Access, form: UploadedForm) -> DatasetResponse:
        upload_id, mapping = _upload_id_of(form), _mapping_of(form)
        async with access.read() as unit:
            file_name, stored = await self._stored(unit, form, upload_id)
            fields = self._fields_of(form, file_name)
            path = await self._datasets.files.path_of(stored.key)
            seen, reading = await self._datasets.look(unit, path, file_name, fields.format, mapping)
        async with access.write(resource=f"dataset:{fields.name}") as unit:
            if self._names_itself and "version" not in form.fields:
                fields = await _with_free_version(unit, fields)
            made = await self._datasets.create(
                unit,
                fields,
                stored,
                file_name=file_name,
                fmt=reading.format,
                source={"kind": "upload"} | reading.provenance,
                layout=seen.layout,
                mapping=reading.mapping,
            )
            if upload_id is not None:
                await self._uploads.mark_used(unit, upload_id)
            return made

    async def _stored(self, unit: Unit, form: UploadedForm, upload_id: int | None) -> tuple[str, StoredObject]:
        if upload_id is not None:
            return await self._uploads.stored(unit, upload_id)
        assert form.stored is not None, "a form has a file or names an upload"
        return form.file_name, form.stored

    def _fields_of(self, form: UploadedForm, file_name: str) -> DatasetCreate:
        if self._names_itself and not form.fields.get("name"):
            form.fields["name"] = file_name.split(".", 1)[0][:200] or "dataset"
        return _fields_of(form)


async def _with_free_version(unit: Unit, fields: DatasetCreate) -> DatasetCreate:
    taken = await repository.list_versions(unit.session, unit.principal, fields.name)
    newest = await repository.find_newest(unit.session, unit.principal, fields.name)
    version = next_version(newest.version if newest else FIRST_VERSION, taken) if taken else FIRST_VERSION
    return fields.model_copy(update={"version": version})


async def _drain(body: AsyncIterator[bytes]) -> None:
    left = DRAINED_BYTES
    try:
        async for piece in body:
            left -= len(piece)
            if left < 0:
                return
    except (ConnectionAbortedError, RuntimeError):  # gone, or read to its end already
        return


def _upload_id_of(form: UploadedForm) -> int | None:
    """The upload in parts that the form names instead of a file."""
    text = form.fields.pop("upload_id", None)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) <= ID_MAX:
        raise DatasetCreationError(f"The field `upload_id` is not the id of an upload: {text[:40]!r}.")
    return int(text)


def _mapping_of(form: UploadedForm) -> dict[str, str] | None:
    text = form.fields.pop("column_mapping", None)
    if not text:
        return None
    mapping = _object_of(text, "column_mapping")
    if not all(isinstance(name, str) for name in mapping.values()):
        raise DatasetCreationError("The field `column_mapping` maps a column to something that is no text.")
    return mapping or None


def _fields_of(form: UploadedForm) -> DatasetCreate:
    values: dict[str, Any] = dict(form.fields)
    if not values.get("format"):
        values.pop("format", None)
    elif values["format"] not in list(DataFormat):
        known = ", ".join(fmt.value for fmt in DataFormat)
        raise UnsupportedFormatError(
            f"The format {values['format'][:60]!r} is not known here; there are {known}.",
            hint="Leave `format` out to have it detected, or send one of those.",
        )
    if "tags" in values:
        values["tags"] = [tag.strip() for tag in values["tags"].split(",") if tag.strip()]
    if "dataset_metadata" in values:
        values["dataset_metadata"] = _object_of(values["dataset_metadata"], "dataset_metadata")
    try:
        return DatasetCreate.model_validate(values)
    except ValidationError as error:
        faults = [
            {"location": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        words = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults[:5])
        raise DatasetCreationError(f"The form is not valid: {words}.", errors=faults) from None


def _object_of(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}", parse_constant=lambda name: _refuse(name))
        text.encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "\\u0000" in text:
        raise DatasetCreationError(f"The field `{name}` is not a JSON object.")
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)
