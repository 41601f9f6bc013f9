"""The shapes that rows may have: how to tell them apart, and how each becomes what training reads."""

from tunesmith.domains.datasets.formats.canonical import to_example, to_messages
from tunesmith.domains.datasets.formats.detection import Detected, check_columns, detect, missing_columns
from tunesmith.domains.datasets.formats.fields import FIELDS, SUPERVISED, TITLES, DataFormat, Fields
from tunesmith.domains.datasets.formats.pairs import Pair, label_of, pair_of
from tunesmith.domains.datasets.formats.turns import ROLE_ALIASES, ROLES, Message, Messages

__all__ = [
    "FIELDS",
    "ROLES",
    "ROLE_ALIASES",
    "SUPERVISED",
    "TITLES",
    "DataFormat",
    "Detected",
    "Fields",
    "Message",
    "Messages",
    "Pair",
    "check_columns",
    "detect",
    "label_of",
    "missing_columns",
    "pair_of",
    "to_example",
    "to_messages",
]
