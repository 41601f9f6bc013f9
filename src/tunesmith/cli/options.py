"""The global options, and how a command ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.settings import Settings

FINE, NO, USAGE, NOT_FOUND, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass
class Options:
    """What was given before (or after) the command's name."""

    data_dir: Path | None = None
    server: str | None = None
    debug: bool = False

    def settings(self) -> Settings:
        """The settings of this process, with the options on top."""
        from tunesmith.settings import load_settings

        return load_settings(data_dir=self.data_dir)


class CommandError(Exception):
    """A command cannot go on: one sentence, one hint, an exit code."""

    def __init__(self, message: str, hint: str = "", exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code
