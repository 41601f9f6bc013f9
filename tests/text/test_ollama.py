"""Chat templates in Ollama's language, and Modelfiles: what Ollama would send is what the model was trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.tiny_models import TEMPLATE
from tunesmith.text import ChatTemplate
from tunesmith.text.errors import GoTemplateError, ModelfileError, TemplateNotTranslatable
from tunesmith.text.go_template import GoTemplate
from tunesmith.text.modelfile import Modelfile, parse_modelfile
from tunesmith.text.ollama import translate

LLAMA = (
    "{% for m in messages %}{% set c = '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim"
    " + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set c = bos_token + c %}{% endif %}{{ c }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
QWEN = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are Qwen.<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\n' }}"
    "{{ m.content | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ m.content + eos_token }}{% else %}{{ raise_exception('no') }}{% endif %}{% endfor %}"
)
TALK = [
    {"role": "user", "content": "안녕 {{ x }} 🙂"},
    {"role": "assistant", "content": "네."},
    {"role": "user", "content": "  both \n\n ends  "},
]


@pytest.mark.parametrize(
    ("source", "tokens", "added", "has_system", "default"),
    [
        (TEMPLATE, {}, "", True, ""),
        (LLAMA, {"bos_token": "<|begin_of_text|>"}, "<|begin_of_text|>", True, ""),
        (LLAMA, {"bos_token": "<|begin_of_text|>"}, "", True, ""),
        (QWEN, {}, "", True, "You are Qwen."),
        (GEMMA, {"bos_token": "<bos>"}, "<bos>", False, ""),
        (MISTRAL, {"bos_token": "<s>", "eos_token": "</s>"}, "<s>", False, ""),
    ],
    ids=["chatml", "llama", "llama-bos-in-template", "qwen", "gemma", "mistral"],
)
def test_ollama_sends_what_the_template_writes(
    source: str, tokens: dict[str, str], added: str, has_system: bool, default: str
) -> None:
    template = ChatTemplate(source, tokens)
    said = translate(template, leave_out=added)
    file = parse_modelfile(Modelfile("./m.gguf", said.template, said.system, trims=said.trims).write())
    assert file.system == default
    for talk in (TALK, TALK[:1], [{"role": "system", "content": "Be brief."}, *TALK] if has_system else TALK):
        assert added + file.render(talk) == template.render(talk, add_generation_prompt=True)


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ loop.index }}{{ m.content }}{% endfor %}",
        "{{ messages[-1].content }}",
        "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
    ],
)
def test_a_template_that_does_more_is_refused(source: str) -> None:
    with pytest.raises(TemplateNotTranslatable):
        translate(ChatTemplate(source, {}))


def test_a_modelfile_survives_writing_and_reading() -> None:
    parameters = {"stop": ["<|im_end|>", 'a "quoted" \\ one', "a b"], "temperature": ["0.7"]}
    file = Modelfile("./모델-Q8_0.gguf", "{{ .Prompt }}\n", "한국어로 답하세요.", parameters, trims=True)
    assert parse_modelfile(file.write()) == file
    assert file.stops == parameters["stop"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no FROM"),
        ("TEMPLATE x", "no FROM"),
        ("FROM a.gguf\nSING loudly", "Line 2"),
        ('FROM a.gguf\nTEMPLATE """open', "Line 2"),
        ("FROM a.gguf\nPARAMETER stop", "Line 2"),
    ],
)
def test_a_broken_modelfile_names_its_line(text: str, word: str) -> None:
    with pytest.raises(ModelfileError, match=word):
        parse_modelfile(text)


def test_templates_of_others_are_rendered_as_ollama_does() -> None:
    turns = """{{ if .System }}<|system|>
{{ .System }}</s>
{{ end }}{{ if .Prompt }}<|user|>
{{ .Prompt }}</s>
{{ end }}<|assistant|>
{{ .Response }}"""
    file = Modelfile("m", turns, "Be kind.")
    assert file.render(TALK[:1]) == f"<|system|>\nBe kind.</s>\n<|user|>\n{TALK[0]['content']}</s>\n<|assistant|>\n"
    last = (
        "{{- range $i, $_ := .Messages }}\n{{- $last := eq (len (slice $.Messages $i)) 1 }}\n"
        '{{- if or (eq .Role "user") (eq .Role "system") }}<u>{{ .Content }}{{ if $last }}!{{ end }}'
        '{{- else if eq .Role "assistant" }}<a>{{ .Content }}{{ end }}\n{{- end }}'
    )
    told = [{"Role": m["role"], "Content": m["content"]} for m in TALK[:2]] + [{"Role": "user", "Content": "x"}]
    assert GoTemplate(last).render({"Messages": told}) == "<u>안녕 {{ x }} 🙂<a>네.<u>x!"


@pytest.mark.parametrize("source", ["{{ if .A }}x", "{{ end }}", "{{ nonsense .A }}", "{{ $x }}", "{{ .A", "{{ eq }}"])
def test_a_broken_go_template_says_so(source: str) -> None:
    with pytest.raises(GoTemplateError):
        GoTemplate(source).render({"A": 1})


def test_the_bundled_model_can_be_said_in_ollama(tmp_path: Path) -> None:
    import tunesmith

    folder = Path(tunesmith.__file__).parent / "bundle" / "model"
    assert ".Messages" in translate(ChatTemplate.from_folder(folder)).template
