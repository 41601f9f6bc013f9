"""What a conversation refuses."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, InvalidInput, NotFound


class ConversationNotFound(NotFound):
    """There is no such conversation of this person."""

    code, title = "conversation-not-found", "There is no such conversation"
    hint = "GET /api/v1/admin/conversations lists yours."


class TurnNotFound(NotFound):
    """The conversation has no such turn."""

    code, title = "turn-not-found", "There is no such turn"
    hint = "GET /api/v1/admin/conversations/{id} lists its turns."


class ConversationBusy(Conflict):
    """An answer is being written in this conversation."""

    code, title = "conversation-busy", "The conversation is being answered"
    hint = "Wait for the answer or stop it; then try again."


class ChatNotInitialized(Conflict):
    """No model has been chosen for this conversation."""

    code, title = "chat-not-initialized", "No model has been chosen"
    hint = 'POST /chat/initialize {"model": "tunesmith/tiny"} chooses one.'


class TurnRole(InvalidInput):
    """What was asked for fits turns of the other role only."""

    code, title = "turn-role", "This turn has the wrong role"
    hint = "Questions are edited, answers are asked for again and rated."


class MessageTooLong(InvalidInput):
    """System prompt and message alone leave no room for an answer."""

    code, title = "message-too-long", "The message is too long for this model"
    hint = "Shorten the message or the system prompt, or choose a model with a longer context."


class NothingToKeep(InvalidInput):
    """No turn is fit for a dataset."""

    code, title = "no-good-turns", "There are no good answers to keep"
    hint = "Rate answers as good first, or send selection=all."
