"""Secrets at rest: sealed with a key that lies in a file only this user can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

KEY_MODE = 0o600


class SealBroken(ValueError):
    """The text was sealed with another key, or changed since."""


class Sealer:
    """Seals and opens short texts. The key is made when it is first needed; of two makers one wins, whole."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def seal(self, text: str) -> str:
        """``text`` so that only who has the key file can read it."""
        return self._cipher().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed; raises SealBroken."""
        try:
            return self._cipher().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken("the seal does not fit the key file") from error

    def _cipher(self) -> Fernet:
        if not self._key_file.is_file():
            self._make_key()
        return Fernet(self._key_file.read_bytes().strip())

    def _make_key(self) -> None:
        self._key_file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._key_file.with_name(f".{self._key_file.name}.{secrets.token_hex(6)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # somebody else was first; theirs counts
                os.link(temporary, self._key_file)
        finally:
            temporary.unlink(missing_ok=True)
