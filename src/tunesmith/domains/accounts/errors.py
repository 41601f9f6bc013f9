"""Failures of accounts."""

from tunesmith.kit.errors import Conflict, NotFound


class UserNotFound(NotFound):
    """Nobody by that id, or no longer active."""

    code, title = "user-not-found", "There is no such user"


class IdempotencyConflict(Conflict):
    """An Idempotency-Key is used twice in ways that do not fit together."""

    code, title = "idempotency-key", "The Idempotency-Key cannot be used here"
    hint = "Send the same body with the same key, or take a new key."
