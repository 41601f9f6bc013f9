"""What the inference surface refuses."""

from __future__ import annotations

from tunesmith.kit.errors import InvalidInput, TooLarge, Unsupported


class FieldUnsupported(Unsupported):
    """A field of OpenAI's API that this version does not act on; ignoring it would give another answer than was asked for."""

    code, title = "unsupported-field", "This field is not supported"
    hint = "Leave the field out."


class TooManyTokens(InvalidInput):
    """More tokens are asked for than the settings allow."""

    code, title = "max-tokens", "Too many tokens are asked for"
    hint = "Ask for fewer, or raise TUNESMITH_RUNTIME__MAX_TOKENS_LIMIT."


class RequestTooLarge(TooLarge):
    """The body is larger than any conversation."""

    code, title = "request-too-large", "The request is too large"
    hint = "Send a shorter conversation."
