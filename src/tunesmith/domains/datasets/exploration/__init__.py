"""Exploring a dataset: one pass over its rows gives every figure that is shown; pure functions over ``RowSource``."""

from tunesmith.domains.datasets.exploration.advice import ADVICE
from tunesmith.domains.datasets.exploration.document import VERSION, Document, explored
from tunesmith.domains.datasets.exploration.exploring import Pass
from tunesmith.domains.datasets.exploration.views import DOCUMENT, VALUES, EdaAnswer, Question, save, view

__all__ = [
    "ADVICE",
    "DOCUMENT",
    "VALUES",
    "VERSION",
    "Document",
    "EdaAnswer",
    "Pass",
    "Question",
    "explored",
    "save",
    "view",
]
