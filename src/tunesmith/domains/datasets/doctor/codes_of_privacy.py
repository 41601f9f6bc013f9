"""The codes of personal data."""

from __future__ import annotations

from tunesmith.domains.datasets.doctor.code import AMBER, GREEN, Code

PRIVACY_CODES = (
    Code(
        "pii-email",
        AMBER,
        "A text holds an e-mail address",
        "m***@***.com",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-phone",
        AMBER,
        "A text holds a telephone number",
        "010-****-****",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-rrn",
        AMBER,
        "A text holds a Korean resident registration number",
        "******-*******",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-frn",
        AMBER,
        "A text holds a Korean foreigner registration number",
        "******-*******",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-brn",
        AMBER,
        "A text holds a Korean business registration number",
        "123-**-*****",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-passport",
        AMBER,
        "A text holds a Korean passport number",
        "passport M********",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-driver-licence",
        AMBER,
        "A text holds a Korean driver licence number",
        "**-**-******-**",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-bank-account",
        AMBER,
        "A text holds a bank account number",
        "account 110-***-******",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-card",
        AMBER,
        "A text holds a payment card number",
        "4532-****-****-****",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-iban",
        AMBER,
        "A text holds an IBAN",
        "DE** **** **** **** **** **",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-ip",
        AMBER,
        "A text holds an IP address",
        "connected from ***.***.***.***",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-key",
        AMBER,
        "A text holds a key, token or password",
        "ghp_********",
        "Revoke the key where it was made, then remove it: whoever can ask the model may be told it.",
    ),
    Code(
        "pii-person",
        AMBER,
        "A text holds a person's name",
        "***",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-address",
        AMBER,
        "A text holds an address",
        "***** *** **** ***",
        "Mask, redact, pseudonymise or remove it, unless the model is meant to say it.",
    ),
    Code(
        "pii-uncertain",
        GREEN,
        "A text may hold personal data",
        "4532-****-****-****, which fails the check of card numbers",
        "Look at it: only its shape or the number of a company speaks for it.",
    ),
)
