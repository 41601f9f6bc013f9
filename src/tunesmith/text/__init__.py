"""Chat templates, token ids and loss masks, with tokenizers and Jinja alone: one truth for the trainer and the mask X-ray.

template = ChatTemplate.from_folder(model_folder)
tokenizer = TextTokenizer.from_folder(model_folder)
row = tokenize_row(messages, tokenizer, template)   # row.input_ids, row.labels
"""

from __future__ import annotations

from tunesmith.text.chat_template import ChatTemplate, Message, Rendered
from tunesmith.text.errors import (
    ChatTemplateError,
    ChatTemplateLimit,
    ChatTemplateMissing,
    RowNotTokenizable,
    TokenizerError,
)
from tunesmith.text.mask import IGNORED, PromptCompletion, TokenizedRow, tokenize_row, tokenize_rows
from tunesmith.text.tokenizer import Encoded, TextTokenizer

__all__ = [
    "IGNORED",
    "ChatTemplate",
    "ChatTemplateError",
    "ChatTemplateLimit",
    "ChatTemplateMissing",
    "Encoded",
    "Message",
    "PromptCompletion",
    "Rendered",
    "RowNotTokenizable",
    "TextTokenizer",
    "TokenizedRow",
    "TokenizerError",
    "tokenize_row",
    "tokenize_rows",
]
