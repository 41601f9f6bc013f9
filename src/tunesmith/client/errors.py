"""What a call can end with besides an answer."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """The server refused (or a job failed, then ``status`` is 0): its problem document, as an exception."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "http"))
        self.detail = str(problem.get("detail", f"The server answered {status}."))
        self.hint = str(problem.get("hint", ""))
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        self.problem = problem
        super().__init__(self.detail)


class Unreachable(Exception):
    """Nothing answers at the address."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"No server answers at {address}: {reason}.")
        self.hint = "Start one with `tunesmith serve`, or leave --server away to work in this process."
