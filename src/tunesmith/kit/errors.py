"""The error tree: every failure that a person can meet has a code, a status, a sentence and a hint.

TunesmithError
├── InvalidInput (422)        what was given cannot be used
├── NotFound (404)            the thing named does not exist, or is not visible to this person
├── Conflict (409)            the thing is in a state that does not allow it
├── Forbidden (403)           this person may not do it
├── Unauthorized (401)        nobody is signed in
├── TooLarge (413)            over a limit, refused while streaming
├── Unavailable (503)         something that this needs is away
├── OutOfSpace (507)          the disk is full
└── Unsupported (422)         a format or field that this version does not have

Domains derive their own errors from these in ``errors.py``. The API renders problem+json (RFC 9457),
the command line prints message and hint, the web page translates by ``code``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TunesmithError(Exception):
    """Root of the tree. ``code`` is a stable slug; ``message`` says what was wrong, where, and what to do."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong inside Tunesmith"
    retry_after_seconds: ClassVar[int | None] = None
    """When it is worth trying again, for errors that pass by themselves: sent as ``Retry-After``."""
    hint: str = "Look at the server log with the request id, and send it with your report."

    def __init__(
        self, message: str, *, hint: str | None = None, errors: list[dict[str, Any]] | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint
        self.errors = errors or []
        self.extra = extra

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """The RFC 9457 document of this error."""
        document: dict[str, Any] = {
            "type": self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.message,
            "hint": self.hint,
            "code": self.code,
            **self.extra,
        }
        if instance:
            document["instance"] = instance
        if self.errors:
            document["errors"] = self.errors
        return document


class InvalidInput(TunesmithError):
    """What was given cannot be used; ``errors`` locates each fault."""

    code, status, title = "validation", 422, "The input is not valid"
    hint = "Correct the fields that are named and try again."


class Unsupported(InvalidInput):
    """A format, method or field that this version does not have."""

    code, title = "unsupported", "This is not supported"
    hint = "Use one of the values that the message lists."


class NotFound(TunesmithError):
    """The thing named does not exist, or is not visible to this person."""

    code, status, title = "not-found", 404, "There is nothing here by that name"
    hint = "List what exists and check the name or id."


class Conflict(TunesmithError):
    """The thing is in a state that does not allow this."""

    code, status, title = "conflict", 409, "The state does not allow this"
    hint = "Look at the current state and try again when it allows it."


class Unauthorized(TunesmithError):
    """Nobody is signed in."""

    code, status, title = "unauthorized", 401, "Sign in first"
    hint = "Sign in, or send an API key in the Authorization header."


class Forbidden(TunesmithError):
    """This person may not do this."""

    code, status, title = "forbidden", 403, "You are not allowed to do this"
    hint = "Ask an owner of the project for the permission that is named."


class TooLarge(TunesmithError):
    """Over a limit; refused while streaming."""

    code, status, title = "file-too-large", 413, "The file is too large"
    hint = "Make the file smaller, or raise TUNESMITH_DATASETS__MAX_FILE_SIZE_BYTES."


class Unavailable(TunesmithError):
    """Something that this needs is away."""

    code, status, title = "unavailable", 503, "Something that this needs is not available"
    hint = "Try again in a moment."


class MissingExtra(Unavailable):
    """An optional part of the program is not installed."""

    code, title = "missing-extra", "An optional part is not installed"

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the optional part {extra!r}, which is not installed.",
            hint=f"Install it with: pip install 'tunesmith[{extra}]'",
        )


class OutOfSpace(TunesmithError):
    """The disk is full; what was being written has been removed."""

    code, status, title = "disk-full", 507, "The disk is full"
    hint = "Free some space in the data folder and try again; nothing was changed."
