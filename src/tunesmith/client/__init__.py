"""Typed Python client of the HTTP API, used by the command line, tests and notebooks."""

from tunesmith.client.api import TunesmithClient, job_result
from tunesmith.client.chat import ChatBench, Conversation
from tunesmith.client.errors import ApiError, Unreachable
from tunesmith.client.workbench import DatasetBench

__all__ = ["ApiError", "ChatBench", "Conversation", "DatasetBench", "TunesmithClient", "Unreachable", "job_result"]
