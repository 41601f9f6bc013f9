"""The promise of a hub of models: search, details, who may read, and the addresses that a child process fetches from.

Every method blocks (callers run it in a thread) and raises ``HubUnreachable``, ``HubModelNotFound``, ``HubRevisionNotFound``,
``HubTokenNeeded`` or ``HubAccessDenied``, none of which ever carries a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from tunesmith.kit.errors import Forbidden, NotFound, Unauthorized, Unavailable

Sort = Literal["downloads", "likes", "last_modified", "trending_score", "created_at"]


class HubUnreachable(Unavailable):
    """No network, switched off, or the Hub itself fails."""

    code, title = "hub-unreachable", "The Hub cannot be reached"
    hint = "Check the network and TUNESMITH_MODELS__HUB_ENDPOINT; what is in the local store works without it."


class HubModelNotFound(NotFound):
    """The Hub does not show such a model to whoever asks."""

    code, title = "hub-model-not-found", "The Hub shows no such model"
    hint = (
        "Check the id (owner/name). It may be private: then give a token that may read it (access_token or HF_TOKEN)."
    )


class HubRevisionNotFound(NotFound):
    """The model is there, the revision is not."""

    code, title = "hub-revision-not-found", "The model has no such revision"
    hint = "Name a branch, a tag or a full commit of the model; leave it out for the newest."


class HubTokenNeeded(Unauthorized):
    """The model is gated or private, and no token (or one that the Hub does not know) came with the call."""

    code, title = "hub-token-needed", "This model needs a token"
    hint = "Accept the model's terms on its page, make a token with read access, and send it as access_token (or set HF_TOKEN)."


def check_token(token: str | None) -> None:
    """Raise ``HubTokenNeeded`` for what cannot be a token: it would not even fit into a header."""
    if token is not None and not (token.isascii() and token.isprintable()):
        raise HubTokenNeeded(
            "What was sent as the token has characters that no token has.",
            hint="Copy it again from the Hub's settings; a token begins with hf_.",
        )


class HubAccessDenied(Forbidden):
    """The token is known, and its owner may not do this."""

    code, title = "hub-access-denied", "The Hub denies access"
    hint = "Ask for access on the model's page, or use a token of an account that has it."


@dataclass(frozen=True)
class HubFile:
    """A file of a model. ``sha256`` is known for large files, ``git_sha1`` (of git's blob) for the others."""

    path: str
    size_bytes: int | None
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True)
class HubModel:
    """What a hub says about a model; None where it says nothing."""

    model_id: str
    revision: str | None = None
    architecture: str | None = None
    num_parameters: int | None = None
    dtype: str | None = None
    license: str | None = None
    downloads: int | None = None
    likes: int | None = None
    gated: str | None = None
    """``auto`` or ``manual`` when its readers must accept terms."""
    private: bool = False
    task: str | None = None
    library: str | None = None
    tags: tuple[str, ...] = ()
    updated_at: datetime | None = None
    has_chat_template: bool | None = None
    files: tuple[HubFile, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    """``config.json`` where it could be read, else what the hub tells of it."""


@dataclass(frozen=True)
class HubQuery:
    """What to look for."""

    search: str | None = None
    author: str | None = None
    task: str | None = None
    tags: tuple[str, ...] = ()
    sort: Sort = "downloads"
    limit: int = 50


class Hub(Protocol):
    """A hub of models."""

    name: str

    def search(self, query: HubQuery, token: str | None) -> list[HubModel]:
        """At most ``query.limit`` models, in the order asked for; without files."""
        ...

    def details(self, model_id: str, revision: str | None, token: str | None) -> HubModel:
        """All that can be known without fetching weights."""
        ...

    def check_access(self, model_id: str, revision: str, path: str, token: str | None) -> None:
        """Raise unless the file may be fetched with this token."""
        ...

    def child_environment(self, token: str | None) -> dict[str, str]:
        """What a child process that talks to this hub needs in its environment; the only place a token goes to."""
        ...
