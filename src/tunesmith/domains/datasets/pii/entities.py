"""What is looked for, and what a find looks like."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

CERTAIN = 0.5
"""Confidence from which a hit is treated as personal data; below it, only the shape or a weak hint speaks for it."""


class Entity(StrEnum):
    """A kind of personal data. The last two are found by a language model only (`named.py`)."""

    EMAIL = "email"
    PHONE = "phone"
    RRN = "rrn"
    FRN = "frn"
    BRN = "brn"
    PASSPORT = "passport"
    DRIVER_LICENCE = "driver_licence"
    BANK_ACCOUNT = "bank_account"
    CARD = "card"
    IBAN = "iban"
    IP = "ip"
    KEY = "key"
    PERSON = "person"
    ADDRESS = "address"


NAMES = {
    Entity.EMAIL: "an e-mail address",
    Entity.PHONE: "a telephone number",
    Entity.RRN: "a Korean resident registration number",
    Entity.FRN: "a Korean foreigner registration number",
    Entity.BRN: "a Korean business registration number",
    Entity.PASSPORT: "a Korean passport number",
    Entity.DRIVER_LICENCE: "a Korean driver licence number",
    Entity.BANK_ACCOUNT: "a bank account number",
    Entity.CARD: "a payment card number",
    Entity.IBAN: "an IBAN",
    Entity.IP: "an IP address",
    Entity.KEY: "a key, token or password",
    Entity.PERSON: "a person's name",
    Entity.ADDRESS: "an address",
}


class PiiHit(NamedTuple):
    """Personal data in a text: characters ``start`` to ``end`` (exclusive), and how sure that is (0–1)."""

    entity: Entity
    start: int
    end: int
    confidence: float

    @property
    def is_certain(self) -> bool:
        """Whether more than the shape speaks for it."""
        return self.confidence >= CERTAIN
