"""Inference for programs: the gateway that speaks OpenAI's API. The application mounts ``serving.gateway.router``."""

from tunesmith.domains.serving.errors import TooManyTokens

__all__ = ["TooManyTokens"]
