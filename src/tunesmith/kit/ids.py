"""Identifiers: request ids, slugs, and the rule for names in paths."""

from __future__ import annotations

import re
import secrets
import unicodedata

SLUG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$")


def new_request_id() -> str:
    """A short random id that ties a log line, an answer and a report together."""
    return secrets.token_hex(8)


def is_slug(text: str) -> bool:
    """Whether ``text`` may stand in a path."""
    return bool(SLUG.match(text)) and ".." not in text


def display_name(text: str, limit: int = 200) -> str:
    """A name that people see: NFC, no control characters, trimmed; raises ValueError when nothing is left."""
    cleaned = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] != "C").strip()
    if not cleaned:
        raise ValueError("a name needs at least one visible character")
    if len(cleaned) > limit:
        raise ValueError(f"a name has at most {limit} characters; this one has {len(cleaned)}")
    return cleaned


def slugify(text: str, fallback: str) -> str:
    """An ASCII slug of ``text``; ``fallback`` when nothing of it survives (a Korean name, say)."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", ascii_text).strip("-._")[:100]
    return slug or fallback
