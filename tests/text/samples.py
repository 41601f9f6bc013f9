"""Templates and conversations that several tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tunesmith

BUNDLED = Path(tunesmith.__file__).parent / "bundle" / "model"

CHATML = """{% for message in messages %}
{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""

LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' "
    "+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)

MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('the system role is not supported') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)

CONVERSATIONS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Fine."}],
    [
        {"role": "system", "content": "짧게 대답하세요.\n"},
        {"role": "user", "content": "달무리섬 요금은?"},
        {"role": "assistant", "content": "14,200원"},
        {"role": "user", "content": "  고마워요 👩‍👩‍👧 e\u0301 "},
        {"role": "assistant", "content": "천만에요! <b>&\"'\\n\n\t끝"},
    ],
    [
        {"role": "user", "content": "Yes"},
        {"role": "assistant", "content": "Yes"},
        {"role": "user", "content": "Yes"},
        {"role": "assistant", "content": "Yes"},
    ],
]
