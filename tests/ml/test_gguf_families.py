"""Every family and kind of tokenizer: llama.cpp computes, splits and renders what transformers and tokenizers do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ml import gguf_models, tiny_models
from tests.ml.llama_server import llama_server
from tunesmith.ml.gguf import convert
from tunesmith.ml.gguf_file import check_structure

PREFIXED = ("mistral", "unigram")
"""Tokenizers that put a space before a text only where llama.cpp cannot tell; see the notes that they come with."""
CONVERSATION = [
    {"role": "user", "content": "안녕  하세요\n"},
    {"role": "assistant", "content": "hi🙂"},
    {"role": "user", "content": "2 + 3?"},
]


@pytest.mark.parametrize("case", list(gguf_models.CASES))
def test_llama_cpp_computes_what_transformers_does(case: str, tmp_path: Path) -> None:
    """Distributions agree (KL < 1e-3), texts are split into the same tokens, and prompts are the same bytes."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = gguf_models.save_case(tmp_path / "model", case)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = tokenizer.encode(tiny_models.PROBES[1] + tiny_models.PROBES[2]).ids[:80]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0].log_softmax(-1).double().numpy()
    rendered = AutoTokenizer.from_pretrained(folder).apply_chat_template(
        CONVERSATION, tokenize=False, add_generation_prompt=True
    )
    method = "F16" if case.startswith("qwen") else "F32"
    written = convert(folder, tmp_path / "model.gguf", method, name=f"a {case}")
    with llama_server(written.path) as server:
        words = gguf_models.WORDS[gguf_models.CASES[case].words]
        given = rendered.removeprefix(words.bos or "") if words.adds_bos else rendered  # the server adds it itself
        assert server.render(CONVERSATION) == given
        assert server.tokenize(rendered) == tokenizer.encode(rendered, add_special_tokens=False).ids
        for probe in tiny_models.PROBES if case not in PREFIXED else tiny_models.PROBES[3:4]:
            text = f"<s>{probe}" if case == "mistral" else probe
            assert server.tokenize(text) == tokenizer.encode(text, add_special_tokens=False).ids, probe
        if case != "mistral":
            assert server.tokenize("ships", add_special=True) == tokenizer.encode("ships").ids
        for length in (1, 17, len(ids)):
            ours = expected[length - 1]
            theirs = server.log_probabilities(ids[:length], expected.shape[1])
            assert float(np.sum(np.exp(ours) * (ours - theirs))) < 1e-3, length
    assert np.exp(expected[-1]).max() > 5 / expected.shape[1]  # a flat distribution would prove nothing
    assert bool(written.notes) == (case in (*PREFIXED, "mistral-nemo", "phi3-long"))


def test_a_window_that_llama_cpp_does_not_compute_bounds_the_context(tmp_path: Path) -> None:
    """The file is right as far as it says that it reaches, and a note says why."""
    folder = gguf_models.save_case(tmp_path / "model", "mistral", sliding_window=32)
    written = convert(folder, tmp_path / "model.gguf", "F32")
    assert check_structure(written.path).values["llama.context_length"] == 32
    assert any("sliding window" in note for note in written.notes)


def test_the_text_part_of_a_gemma_that_sees(tmp_path: Path) -> None:
    """Names and numbers below `language_model` and `text_config` are found; the eyes are left out."""
    import json

    from safetensors.numpy import load_file, save_file

    folder = gguf_models.save_case(tmp_path / "model", "gemma3")
    plain = convert(folder, tmp_path / "plain.gguf", "F16")
    config = json.loads((folder / "config.json").read_text())
    whole = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": config}
    (folder / "config.json").write_text(json.dumps(whole))
    weights = {
        name.replace("model.", "model.language_model.", 1): values
        for name, values in load_file(folder / "model.safetensors").items()
    }
    weights["model.vision_tower.embeddings.weight"] = np.zeros((4, 4), np.float32)
    save_file(weights, folder / "model.safetensors")
    assert convert(folder, tmp_path / "text.gguf", "F16").sha256 == plain.sha256


async def test_the_runtime_gives_back_the_beginning_that_the_server_takes(tmp_path: Path) -> None:
    """A prompt of a model whose tokenizer adds a token at the beginning is the template's own."""
    from transformers import AutoTokenizer

    from tunesmith.ml.serve_llamacpp import LlamaCppEngine
    from tunesmith.wire.spec import ServeSpec

    folder = gguf_models.save_case(tmp_path / "model", "llama3.2", num_hidden_layers=1)
    written = convert(folder, tmp_path / "model.gguf", "F16")
    engine = LlamaCppEngine(ServeSpec(job_id=1, model_path=str(written.path), backend="llamacpp"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer.apply_chat_template(CONVERSATION, tokenize=False, add_generation_prompt=True)
    assert await engine.render(CONVERSATION, True) == expected
    assert await engine.tokenize(expected) == tokenizer.encode(expected, add_special_tokens=False)


@pytest.mark.parametrize(
    ("legacy", "has_template", "expected"), [(True, True, True), (False, True, False), (False, False, True)]
)
def test_a_llamas_own_tokenizer_puts_spaces_as_transformers_loads_it(
    tmp_path: Path, legacy: bool, has_template: bool, expected: bool
) -> None:
    """The class and its `legacy` decide, not the rules in tokenizer.json; prompts of a template begin with a special token."""
    import json

    from tunesmith.ml.gguf_vocab import read_vocabulary

    size = gguf_models.save_words(tmp_path, gguf_models.WORDS["llama2"])
    if not has_template:
        (tmp_path / "chat_template.jinja").unlink()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "tokenizer_class": "LlamaTokenizer", "legacy": legacy}))
    assert read_vocabulary(tmp_path, size).flags["add_space_prefix"] is expected
