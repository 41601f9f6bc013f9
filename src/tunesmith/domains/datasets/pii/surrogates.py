"""Pseudonyms: in one data set the same value always becomes the same other value of its shape, and no two become one."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import string
from collections.abc import Callable

from tunesmith.domains.datasets.pii import checksums
from tunesmith.domains.datasets.pii.entities import Entity
from tunesmith.domains.datasets.pii.permutation import permute
from tunesmith.domains.datasets.pii.shapes import narrow

_MAIL_DOMAINS = ("example.com", "example.org", "example.net")
_CONSONANTS, _VOWELS = "bdghjkmnprstvyz", "aeiou"
_DOCUMENTATION_NETWORK = "2001:db8"
_REMEMBERED = 50_000
_KEPT = {Entity.BANK_ACCOUNT: 3, Entity.DRIVER_LICENCE: 2}
_KOREAN_CODE = re.compile(r"^(?:00)?82(?=[0-9]{8,11}$)")
_MOBILE = re.compile("1[0-9]{9}")
_PEM_END = re.compile("-----END[A-Z0-9 ]+-----$")
_ALL = ipaddress.IPv4Network("0.0.0.0/0")
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


class Pseudonyms:
    """The pseudonyms of one data set. They hang on ``salt`` alone: whoever has it can test a guess, so it is kept secret.

    Numbers are permuted among those of their kind (`permutation.py`): check digits stay as right or wrong as they were, dates
    stay dates, prefixes stay. Addresses and keys become the digest of the value, written in the shape of one. The same number
    with other separators has the same pseudonym, with those separators.
    """

    def __init__(self, salt: bytes) -> None:
        if len(salt) < 16:
            raise ValueError("a salt has at least 16 random bytes")
        self._key = hashlib.blake2b(salt, digest_size=32, person=b"tunesmith-pii").digest()
        self._known: dict[tuple[Entity, str], str] = {}

    def of(self, entity: Entity, value: str) -> str:
        """The pseudonym of ``value``."""
        known = self._known.get((entity, value))
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[entity, value] = self._made(entity, value)
        return known

    def _made(self, entity: Entity, value: str) -> str:
        plain = narrow(value)
        if entity is Entity.EMAIL:
            return self._email(plain)
        if entity is Entity.IP:
            return self._ip(plain)
        if entity is Entity.IBAN:
            return self._iban(plain)
        if entity is Entity.KEY:
            return self._secret(plain)
        if entity in (Entity.PERSON, Entity.ADDRESS):
            return f"{entity.value}_{self._digest(entity, value, 8).hex()}"
        digits = "".join(filter(str.isdigit, plain))
        made = self._number(entity, plain, digits)
        return _with_digits(value, made)

    def _number(self, entity: Entity, plain: str, digits: str) -> str:
        if entity in (Entity.RRN, Entity.FRN) and len(digits) == 13:
            return self._resident(digits)
        if entity is Entity.BRN and len(digits) == 10:
            return self._checked(entity, digits, 0, checksums.business_digit)
        if entity is Entity.CARD:
            return self._checked(entity, digits, 4, checksums.luhn_digit)
        if entity is Entity.PHONE:
            return self._phone(digits)
        kept = _KEPT.get(entity, 0)
        letters = "".join(filter(str.isalpha, plain)).upper() if entity is Entity.PASSPORT else ""
        return digits[:kept] + permute(digits[kept:], self._key, f"{entity}|{digits[:kept]}|{letters}")

    def _phone(self, digits: str) -> str:
        """The last eight digits of a Korean mobile number change, the last seven of another; its country code is no matter."""
        national = _KOREAN_CODE.sub("", digits).lstrip("0")
        free = 8 if _MOBILE.fullmatch(national) else min(7, len(national))
        made = permute(digits[len(digits) - free :], self._key, f"phone|{national[: len(national) - free]}")
        return digits[: len(digits) - free] + made

    def _resident(self, digits: str) -> str:
        """The day in its century and the five digits behind the seventh change; a date that is none becomes another one."""
        sex, born = digits[6], checksums.birth_date(digits)
        tweak = f"resident|{sex}"
        if born is None:

            def is_none(free: str) -> bool:
                return checksums.birth_date(free[:6] + sex) is None

            free = permute(digits[:6] + digits[7:12], self._key, tweak, is_none)
        else:
            first = datetime.date(born.year // 100 * 100, 1, 1)
            days = (min(datetime.date(first.year + 99, 12, 31), checksums.LATEST_BIRTH) - first).days

            def is_day(free: str) -> bool:
                return int(free[:5]) <= days

            free = permute(f"{(born - first).days:05}{digits[7:12]}", self._key, tweak, is_day)
            free = f"{first + datetime.timedelta(int(free[:5])):%y%m%d}{free[5:]}"
        made = free[:6] + sex + free[6:]
        return made + _same_error(digits, made, checksums.resident_digit)

    def _checked(self, entity: Entity, digits: str, kept: int, right: Callable[[str], int]) -> str:
        """All digits change but the first ``kept`` and the check digit, which errs by as much as it did."""
        made = digits[:kept] + permute(digits[kept:-1], self._key, f"{entity}|{digits[:kept]}")
        return made + _same_error(digits, made, right)

    def _email(self, value: str) -> str:
        """An address at a reserved domain; 60 bits of the digest are in its syllables."""
        number = int.from_bytes(self._digest(Entity.EMAIL, value.casefold(), 16), "big")
        number, which = divmod(number, len(_MAIL_DOMAINS))
        syllables = []
        for _ in range(10):
            number, consonant = divmod(number, len(_CONSONANTS))
            number, vowel = divmod(number, len(_VOWELS))
            syllables.append(_CONSONANTS[consonant] + _VOWELS[vowel])
        return f"{''.join(syllables[:4])}.{''.join(syllables[4:])}@{_MAIL_DOMAINS[which]}"

    def _ip(self, value: str) -> str:
        if ":" in value:
            digest = self._digest(Entity.IP, ipaddress.IPv6Address(value).compressed, 12).hex()
            return ":".join((_DOCUMENTATION_NETWORK, *(digest[at : at + 4] for at in range(0, 24, 4))))
        address = ipaddress.IPv4Address(value)
        network = next((n for n in _PRIVATE if address in n), _ALL)
        size, lowest = network.num_addresses, int(network.network_address)

        def is_allowed(digits: str) -> bool:
            inside = int(digits) < size
            return inside and (network is not _ALL or ipaddress.IPv4Address(int(digits)).is_global == address.is_global)

        host = f"{int(address) - lowest:0{len(str(size))}}"
        return str(ipaddress.IPv4Address(lowest + int(permute(host, self._key, f"ip|{network}", is_allowed))))

    def _iban(self, value: str) -> str:
        """Digits of the account are permuted, its letters and the country stay."""
        compact = value.replace(" ", "")
        account = compact[4:]
        digits = "".join(filter(str.isdigit, account))
        letters = re.sub(r"\d", "#", account)
        made = _with_digits(account, permute(digits, self._key, f"iban|{compact[:2]}|{letters}"))
        error = int(compact[2:4]) - checksums.iban_digits(compact[:2], account)
        check = (checksums.iban_digits(compact[:2], made) + error) % 100
        characters = iter(f"{compact[:2]}{check:02}{made}")
        return "".join(c if c == " " else next(characters) for c in value)

    def _secret(self, value: str) -> str:
        """Every letter and digit becomes another of its class, but for the part that says whose key it is."""
        start, end = _start_of_key(value), _PEM_END.search(value)
        body = value[start : end.start() if end else len(value)]
        stream = self._digest(Entity.KEY, value, 64)
        while len(stream) < len(body):
            stream += hashlib.blake2b(stream[-64:], key=self._key).digest()
        made = [_of_class(c, byte) for c, byte in zip(body, stream, strict=False)]
        for at in range(1, len(body)):
            if body[at - 1] == "\\":  # a line break that is written out
                made[at] = body[at]
        return f"{value[:start]}{''.join(made)}{end.group() if end else ''}"

    def _digest(self, entity: Entity, value: str, size: int) -> bytes:
        content = f"{entity}|{value}".encode(errors="surrogatepass")
        return hashlib.blake2b(content, key=self._key, digest_size=size).digest()


def _of_class(character: str, byte: int) -> str:
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if character in alphabet:
            return alphabet[byte % len(alphabet)]
    return character


def _start_of_key(value: str) -> int:
    """The part that says whose key it is (sk-proj-, ghp_, -----BEGIN …-----) stays."""
    start = re.match(
        r"-----BEGIN[A-Z0-9 ]+-----|(?:AKIA|ASIA|AIza|eyJ)|(?:[a-z]{2,6}[-_]){1,3}(?=[A-Za-z0-9]{8})", value
    )
    return start.end() if start else 0


def _same_error(digits: str, made: str, right: Callable[[str], int]) -> str:
    """The check digit of ``made``: as far from the right one as the last of ``digits`` is from its own."""
    return str((right(made) + int(digits[-1]) - right(digits[:-1])) % 10)


def _with_digits(value: str, digits: str) -> str:
    """``value`` with its digits, in order, replaced; full-width ones by full-width ones."""
    following = iter(digits)
    return "".join(
        c if not c.isdecimal() else next(following) if c.isascii() else chr(ord(next(following)) + 0xFEE0)
        for c in value
    )
