"""What can go wrong between a conversation and its token ids."""

from __future__ import annotations

from tunesmith.kit.errors import InvalidInput, Unsupported


class ChatTemplateError(InvalidInput):
    """The chat template is broken, refuses the conversation, or does something that the sandbox forbids."""

    code, title = "chat-template", "The chat template cannot render this conversation"
    hint = "Check the order of the roles against what the template asks for, or choose a model with another template."


class ChatTemplateMissing(ChatTemplateError):
    """The model's folder has no chat template."""

    code, title = "chat-template-missing", "The model has no chat template"
    hint = "Choose an instruction-tuned model, or put a chat_template.jinja into the model's folder."


class ChatTemplateLimit(ChatTemplateError):
    """The chat template takes too long or writes too much."""

    code, title = "chat-template-limit", "The chat template was stopped"
    hint = "The template loops or writes without end; look at it before you trust this model."


class TokenizerError(InvalidInput):
    """The model's folder has no tokenizer that can be read."""

    code, title = "tokenizer", "The tokenizer cannot be loaded"
    hint = "The folder needs a tokenizer.json; save the tokenizer in its fast form (save_pretrained with a fast tokenizer)."


class RowNotTokenizable(InvalidInput):
    """The row is neither a conversation nor a prompt with its completion."""

    code, title = "row-shape", "The row has no text to learn from"
    hint = 'Give {"messages": [{"role", "content"}, …]} or {"prompt", "completion"}.'


class GoTemplateError(InvalidInput):
    """A template of Ollama that is broken, or says more than is known here."""

    code, title = "go-template", "The Ollama template cannot be rendered"
    hint = "Write the TEMPLATE with range, if, eq, and, or, not, len and slice."


class ModelfileError(InvalidInput):
    """A Modelfile that Ollama would not read."""

    code, title = "modelfile", "The Modelfile cannot be read"
    hint = "Correct the line that is named."


class TemplateNotTranslatable(Unsupported):
    """A chat template that does more than put text around each message."""

    code, title = "template-not-translatable", "The chat template cannot be written for Ollama"
    hint = "Export gguf instead and serve it with llama.cpp, which runs the template itself."
