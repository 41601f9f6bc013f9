"""The Hugging Face Hub, through its own client: search, details, access. The only file of the server that imports it.

Files are fetched and pushed by child processes (``ml/fetch.py``, ``ml/push.py``), so a slow network never holds the server.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, cast

from tunesmith.ports.hub import (
    HubAccessDenied,
    HubFile,
    HubModel,
    HubModelNotFound,
    HubQuery,
    HubRevisionNotFound,
    HubTokenNeeded,
    HubUnreachable,
    check_token,
)

TIMEOUT_SECONDS = 10.0
DOCUMENT_LIMIT_BYTES = 4 * 2**20
_LISTED: list[Any] = [
    "author", "config", "createdAt", "downloads", "gated", "lastModified", "library_name", "likes", "pipeline_tag",
    "private", "safetensors", "sha", "tags",
]  # fmt: skip
_SORTS = {"last_modified": "lastModified", "trending_score": "trendingScore", "created_at": "createdAt"}
_DTYPES = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "U8": "uint8",
    "I8": "int8",
}
_COMMIT = re.compile(r"^[0-9a-f]{40}$")


class HuggingFaceHub:
    """The Hub at ``endpoint``; ``offline`` refuses every call before anything is sent."""

    name = "huggingface"

    def __init__(self, endpoint: str, *, offline: bool = False) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._offline = offline

    def search(self, query: HubQuery, token: str | None) -> list[HubModel]:
        """See the port. The client's own search would try for half a minute where there is no network; a person waits."""
        said = {
            "search": query.search,
            "author": query.author,
            "pipeline_tag": query.task,
            "filter": list(query.tags) or None,
            "sort": _SORTS.get(query.sort, query.sort),
            "limit": query.limit,
            "expand": _LISTED,
        }
        with self._translated(query.search or "", token):
            self._api(token)
            found = self._pages({name: value for name, value in said.items() if value}, token)
            return [_model(info, ()) for info in islice(found, query.limit)]
        raise AssertionError("unreachable")

    def _pages(self, params: dict[str, Any], token: str | None) -> Iterator[Any]:
        from huggingface_hub import ModelInfo, get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        url: str | None = f"{self._endpoint}/api/models"
        while url:
            answer = get_session().get(
                url, params=params, headers=build_hf_headers(token=token or False), timeout=TIMEOUT_SECONDS
            )
            hf_raise_for_status(answer)
            for item in answer.json():
                yield ModelInfo(**{"siblings": None, **item})
            url, params = answer.links.get("next", {}).get("url"), {}

    def details(self, model_id: str, revision: str | None, token: str | None) -> HubModel:
        """See the port. Three small requests at most: the model's record, its configuration, the headers of its weights."""
        with self._translated(model_id, token, revision):
            info = self._api(token).model_info(
                model_id, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS
            )
            files = tuple(_file(sibling) for sibling in info.siblings or [])
        model = _model(info, files)
        commit = model.revision or revision or "main"
        names = {file.path for file in files}
        config = self._document(model_id, commit, "config.json", token) if "config.json" in names else {}
        template: bool | None = model.has_chat_template or "chat_template.jinja" in names
        if not template and "tokenizer_config.json" in names:
            template = bool(self._document(model_id, commit, "tokenizer_config.json", token).get("chat_template"))
        return _completed(model, config, template, self._weights(model, commit, token))

    def check_access(self, model_id: str, revision: str, path: str, token: str | None) -> None:
        """See the port."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        with self._translated(model_id, token, revision):
            url = hf_hub_url(model_id, path, revision=revision, endpoint=self._endpoint)
            get_hf_file_metadata(url, token=token or False, endpoint=self._endpoint, timeout=TIMEOUT_SECONDS)

    def child_environment(self, token: str | None) -> dict[str, str]:
        """See the port."""
        said = {
            "HF_ENDPOINT": self._endpoint,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": token or "",
        }
        return said | {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

    def _api(self, token: str | None) -> Any:
        if self._offline:
            raise HubUnreachable("The Hub is switched off (TUNESMITH_MODELS__HUB_OFFLINE).")
        from huggingface_hub import HfApi, constants

        constants.HF_HUB_OFFLINE = False  # the setting decides, wherever it was said
        constants.HF_HUB_DISABLE_TELEMETRY = True
        constants.HF_HUB_DISABLE_XET = True
        return HfApi(endpoint=self._endpoint, token=token or False)

    def _document(self, model_id: str, revision: str, path: str, token: str | None) -> dict[str, Any]:
        """A small JSON file of a model; empty when it may not be read (gated) or is none."""
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.errors import HTTPError
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(model_id, path, revision=revision, endpoint=self._endpoint)
        raw = bytearray()
        try:
            with get_session().stream(
                "GET",
                url,
                headers=build_hf_headers(token=token or False),
                timeout=TIMEOUT_SECONDS,
                follow_redirects=True,
            ) as answer:
                if answer.status_code != 200:
                    return {}
                for piece in answer.iter_bytes():
                    raw += piece
                    if len(raw) > DOCUMENT_LIMIT_BYTES:
                        return {}
            document = json.loads(raw)
        except (HTTPError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _weights(self, model: HubModel, revision: str, token: str | None) -> Mapping[str, int]:
        """Numbers by type, from the headers of the weight files, when the Hub's record does not have them."""
        if model.num_parameters or not any(file.path.endswith(".safetensors") for file in model.files):
            return {}
        from huggingface_hub.errors import HTTPError, NotASafetensorsRepoError, SafetensorsParsingError

        try:
            found = self._api(token).get_safetensors_metadata(
                model.model_id, revision=revision, timeout=TIMEOUT_SECONDS
            )
        except (HTTPError, NotASafetensorsRepoError, SafetensorsParsingError, OSError, ValueError):
            return {}
        return cast(Mapping[str, int], found.parameter_count)

    @contextlib.contextmanager
    def _translated(self, model_id: str, token: str | None, revision: str | None = None) -> Iterator[None]:
        """What the client raises, in our words; nothing of a token or an address with a query gets into them."""
        from huggingface_hub import errors

        check_token(token)
        shown = repr(model_id[:200])
        try:
            yield
        except errors.GatedRepoError as error:
            if token and _status(error) != 401:
                raise HubAccessDenied(f"The token's owner has no access to {shown}, which is gated.") from None
            raise HubTokenNeeded(f"{shown} is gated: it can only be read with a token that has access.") from None
        except errors.RevisionNotFoundError:
            raise HubRevisionNotFound(f"{shown} has no revision {(revision or '')[:100]!r}.") from None
        except (errors.RepositoryNotFoundError, errors.HFValidationError):
            raise HubModelNotFound(f"The Hub shows no model {shown}.") from None
        except errors.EntryNotFoundError:
            raise HubModelNotFound(
                f"{shown} lacks a file that it lists.", hint="Try again, or another revision."
            ) from None
        except errors.OfflineModeIsEnabled:
            raise HubUnreachable("The Hub is switched off (HF_HUB_OFFLINE).") from None
        except errors.HfHubHTTPError as error:
            raise _refusal(_status(error), shown) from None
        except (errors.HTTPError, errors.FileMetadataError, OSError) as error:
            raise HubUnreachable(f"The Hub at {self._endpoint} does not answer ({type(error).__name__}).") from None
        except (ValueError, KeyError, TypeError) as error:
            raise HubUnreachable(f"What {self._endpoint} answers is no Hub's ({type(error).__name__}).") from None


def _status(error: Any) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _refusal(status: int, shown: str) -> Exception:
    if status == 401:
        return HubTokenNeeded(f"The Hub does not know the token that was sent for {shown}.")
    if status == 403:
        return HubAccessDenied(f"The Hub denies access to {shown}.")
    if status == 404:
        return HubModelNotFound(f"The Hub shows no model {shown}.")
    if status == 429:
        return HubUnreachable("The Hub asks to wait (too many requests).", hint="Try again in a few minutes.")
    return HubUnreachable(f"The Hub failed with status {status}.", hint="Try again in a moment.")


def _file(sibling: Any) -> HubFile:
    lfs = sibling.lfs
    sha256 = (lfs.get("sha256") if isinstance(lfs, dict) else getattr(lfs, "sha256", None)) if lfs else None
    size = sibling.size if sibling.size is not None else (lfs.get("size") if isinstance(lfs, dict) else None)
    return HubFile(sibling.rfilename, size, sha256, None if sha256 else sibling.blob_id)


def _model(info: Any, files: tuple[HubFile, ...]) -> HubModel:
    config = info.config if isinstance(info.config, dict) else {}
    weights = _counts(info.safetensors)
    total = getattr(info.safetensors, "total", None) or sum(weights.values())
    tags = tuple(tag for tag in info.tags or [] if isinstance(tag, str))
    template = (config.get("tokenizer_config") or {}).get("chat_template") if config else None
    updated = info.last_modified or info.created_at
    return HubModel(
        model_id=info.id,
        revision=info.sha,
        architecture=_architecture(config),
        num_parameters=total or None,
        dtype=_main_dtype(weights),
        license=_license(info, tags),
        downloads=info.downloads,
        likes=info.likes,
        gated=str(info.gated) if info.gated else None,
        private=bool(info.private),
        task=info.pipeline_tag,
        library=info.library_name,
        tags=tags[:50],
        updated_at=updated if isinstance(updated, datetime) else None,
        has_chat_template=True if template else None,
        files=files,
        config=config,
    )


def _completed(model: HubModel, config: dict[str, Any], template: bool | None, weights: Mapping[str, int]) -> HubModel:
    from dataclasses import replace

    dtype = config.get("torch_dtype") or config.get("dtype")
    return replace(
        model,
        architecture=_architecture(config) or model.architecture,
        num_parameters=model.num_parameters or sum(weights.values()) or None,
        dtype=model.dtype or _main_dtype(weights) or (dtype if isinstance(dtype, str) else None),
        has_chat_template=bool(template),
        config=config or model.config,
    )


def _architecture(config: Mapping[str, Any]) -> str | None:
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else None
    return first if isinstance(first, str) else None


def _counts(safetensors: Any) -> dict[str, int]:
    found = getattr(safetensors, "parameters", None) or {}
    return {str(name): n for name, n in found.items() if isinstance(n, int)}


def _main_dtype(weights: Mapping[str, int]) -> str | None:
    most = max(weights, key=lambda name: weights[name], default=None)
    return _DTYPES.get(most, most.lower()) if most else None


def _license(info: Any, tags: tuple[str, ...]) -> str | None:
    card = getattr(info, "card_data", None)
    said = card.get("license") if card is not None and hasattr(card, "get") else None
    if isinstance(said, str):
        return said
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None)
