"""Conversations with models: kept turn by turn with their branches, fitted to the model's context, answered through the runtime."""

from tunesmith.domains.chat.answering import Answerer
from tunesmith.domains.chat.answers import Ask, ChatAnswer, ChatEvent, Sampling
from tunesmith.domains.chat.errors import ChatNotInitialized, ConversationNotFound
from tunesmith.domains.chat.schemas import (
    ConversationCreate,
    ConversationDetail,
    ConversationResponse,
    ConversationUpdate,
    Turn,
)
from tunesmith.domains.chat.service import ConversationService
from tunesmith.domains.chat.styles import STYLES, Style, StyleName, recommended
from tunesmith.domains.chat.wire import answer_in, events_of

__all__ = [
    "STYLES",
    "Answerer",
    "Ask",
    "ChatAnswer",
    "ChatEvent",
    "ChatNotInitialized",
    "ConversationCreate",
    "ConversationDetail",
    "ConversationNotFound",
    "ConversationResponse",
    "ConversationService",
    "ConversationUpdate",
    "Sampling",
    "Style",
    "StyleName",
    "Turn",
    "answer_in",
    "events_of",
    "recommended",
]
