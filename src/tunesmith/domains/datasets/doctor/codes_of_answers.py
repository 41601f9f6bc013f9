"""The codes of what a model learns from an answer, and of what the answer is worth."""

from __future__ import annotations

from tunesmith.domains.datasets.doctor.code import AMBER, RED, Code

LEARNING_CODES = (
    Code(
        "no-trained-tokens",
        RED,
        "Nothing of the row is learned",
        "an answer that the chat template leaves out",
        "Look at the row in the mask X-ray; give it an answer that the template of the model marks as the assistant's.",
    ),
    Code(
        "prompt-too-long",
        RED,
        "The prompt is longer than what the model reads",
        "a prompt of 5,000 tokens for a limit of 2,048",
        "Shorten the prompt, or validate and train with a larger max_length or another model.",
    ),
    Code(
        "template-refuses",
        AMBER,
        "The model's chat template does not take the conversation",
        "a system turn under the template of Gemma",
        "Write the conversation as the template asks, or choose a model with another template.",
    ),
    Code(
        "padding-ends-turn",
        RED,
        "The end of turn is the padding token",
        "pad_token </s> and eos_token </s>",
        "Name a pad_token of its own in the model's tokenizer_config.json, for example its unk_token.",
    ),
    Code(
        "end-of-turn-untrained",
        AMBER,
        "The end of an answer is not learned",
        "a template that closes an answer with plain text",
        "Choose a model whose template closes answers with a special token of its tokenizer; without it the model does not "
        "learn to stop.",
    ),
    Code(
        "truncated-answer",
        AMBER,
        "An answer is cut off",
        "an answer that ends after 2,300 tokens for a limit of 2,048",
        "Shorten or split the row, or train with a larger max_length: what is over the limit is not learned.",
    ),
    Code(
        "too-long",
        AMBER,
        "The row has more tokens than the model reads",
        "5,000 tokens for a limit of 2,048",
        "Shorten or split the row, or train with a larger max_length: what is over the limit is cut off.",
    ),
)
QUALITY_CODES = (
    Code(
        "answer-language",
        AMBER,
        "The answer is in another language than the question",
        "제주도 날씨는 어때요? answered by: It is mild all year",
        "Answer in the language of the question, or let the question ask for the other language.",
    ),
    Code(
        "boilerplate",
        AMBER,
        "The answer speaks as a chat service",
        "As an AI language model, I cannot …",
        "Write the answer as your own product would say it, or remove the row.",
    ),
    Code(
        "says-nothing",
        AMBER,
        "The answer says nothing",
        "N/A",
        "Write an answer, or remove the row.",
    ),
    Code(
        "repetition",
        AMBER,
        "The answer repeats itself",
        "yes yes yes yes … forty times",
        "Remove the repetition: a model learns to go round in circles from it.",
    ),
    Code(
        "markup-leftover",
        AMBER,
        "The answer holds leftovers of a web page",
        "Opening hours&nbsp;are 9 to 5<br>",
        "Replace entities and tags by the characters that they stand for.",
    ),
    Code(
        "length-outlier",
        AMBER,
        "The answer is much longer or shorter than the others",
        "40,000 characters where the middle answer has 300",
        "Look whether the row belongs to the dataset; split or remove it.",
    ),
    Code(
        "language-mix",
        AMBER,
        "The answer is in a language that the dataset hardly has",
        "one Russian answer among Korean ones",
        "Translate or remove the row, unless the language is meant.",
    ),
    Code(
        "same-opening",
        AMBER,
        "Many answers begin with the same words",
        '4,000 of 10,000 answers begin with "Thank you for your question."',
        "Vary or remove the phrase: the model will begin every answer with it.",
    ),
    Code(
        "label-imbalance",
        AMBER,
        "One label outweighs the others",
        "9,800 of 10,000 answers are `positive`",
        "Add rows with the other labels, or leave out some with this one.",
    ),
)
LEARNING = tuple(code.slug for code in LEARNING_CODES)
QUALITY = tuple(code.slug for code in QUALITY_CODES)
