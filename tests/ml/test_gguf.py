"""What is written as GGUF is judged by llama.cpp, and by the gguf package's own number formats."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import quantize
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ml import tiny_models
from tests.ml.llama_server import llama_server
from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.gguf import convert
from tunesmith.ml.gguf_file import GgufDamaged, check_structure
from tunesmith.ml.gguf_vocab import portable_template
from tunesmith.ml.merge import merge
from tunesmith.ml.weights import ModelWeights

# peft reads names that transformers is about to rename
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*is_gradient_checkpointing.*:FutureWarning", "ignore:.*tie_word_embeddings.*:UserWarning"
)

CASES: dict[str, dict[str, Any]] = {
    "llama": {"family": "llama", "pre": "llama-bpe", "tied": False},
    "llama-stretched": {
        "family": "llama",
        "pre": "gpt-2",
        "dtype": "float32",
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "llama-biased": {"family": "llama", "pre": "smollm", "attention_bias": True, "mlp_bias": True, "dtype": "float16"},
    "qwen2": {"family": "qwen2", "pre": "qwen2"},
    "qwen3": {"family": "qwen3", "pre": "gpt-2"},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One model of each case."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny_models.save_model(root / name, **options) for name, options in CASES.items()}


@pytest.fixture(scope="module")
def qwen3(models: dict[str, Path]) -> Path:
    """The model that most tests use."""
    return models["qwen3"]


def reference_logits(folder: Path, ids: list[int]) -> np.ndarray[Any, Any]:
    """Log-probabilities by transformers, in float32, at every position."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        rows: np.ndarray[Any, Any] = model(torch.tensor([ids])).logits[0].log_softmax(-1).double().numpy()
    return rows


@pytest.mark.parametrize("case", list(CASES))
def test_llama_cpp_computes_the_same_as_the_source(models: dict[str, Path], tmp_path: Path, case: str) -> None:
    """Tokens, prompt and distributions are those of transformers, in both methods."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    folder = models[case]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    messages = [
        {"role": "user", "content": "안녕  하세요\n"},
        {"role": "assistant", "content": " hi🙂"},
        {"role": "user", "content": "2 + 3?"},
    ]
    rendered = AutoTokenizer.from_pretrained(folder).apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer.encode(tiny_models.PROBES[1] + tiny_models.PROBES[2]).ids[:80]
    expected = reference_logits(folder, ids)
    vocab_size = expected.shape[1]
    for method, limit in (("F16", 1e-3), ("Q8_0", 1e-2)):
        written = convert(folder, tmp_path / f"{method}.gguf", method)
        with llama_server(written.path) as server:
            for probe in tiny_models.PROBES:
                assert server.tokenize(probe) == tokenizer.encode(probe).ids, probe
            assert server.render(messages) == rendered
            for length in (1, 2, 17, 80):
                ours = expected[length - 1]
                theirs = server.log_probabilities(ids[:length], vocab_size)
                assert np.isfinite(theirs).all()
                divergence = float(np.sum(np.exp(ours) * (ours - theirs)))
                assert divergence < limit, (method, length)
    assert np.exp(expected[-1]).max() > 10 / vocab_size  # a flat distribution would prove nothing


@pytest.mark.parametrize("case", ["llama", "qwen3"])
@pytest.mark.parametrize("method", ["F16", "Q8_0"])
def test_bytes_are_those_of_the_packages_own_formats(
    models: dict[str, Path], tmp_path: Path, case: str, method: str
) -> None:
    """Every tensor equals what the gguf package makes of the whole tensor at once."""
    folder = models[case]
    written = convert(folder, tmp_path / "model.gguf", method)
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    assert written.size_bytes == written.path.stat().st_size
    stored = {tensor.name: tensor for tensor in GGUFReader(written.path).tensors}
    with ModelWeights(folder) as weights:
        for source, name in (
            ("model.embed_tokens.weight", "token_embd.weight"),
            ("model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight"),
            ("model.norm.weight", "output_norm.weight"),
        ):
            values = weights.rows(source, 0, weights.tensors[source].shape[0])
            kind = GGMLQuantizationType.F32 if values.ndim == 1 else GGMLQuantizationType[method]
            assert stored[name].tensor_type == kind
            assert stored[name].data.tobytes() == quantize(values, kind).tobytes()
    assert ("output.weight" in stored) == (case == "llama")  # tied embeddings are stored once


def test_the_same_input_gives_the_same_bytes(qwen3: Path, tmp_path: Path) -> None:
    """Nothing of the machine, the time or the file's name gets in."""
    one = convert(qwen3, tmp_path / "one.gguf", "Q8_0", name="café 모델")
    other = convert(qwen3, tmp_path / "elsewhere" / "two.gguf", "Q8_0", name="café 모델")
    assert one.sha256 == other.sha256
    values = check_structure(one.path).values
    assert values["general.name"] == "café 모델"
    assert values["tokenizer.ggml.add_bos_token"] is False
    assert values["tokenizer.ggml.eos_token_id"] == 2
    assert "generation" not in str(values["tokenizer.chat_template"]).replace("add_generation_prompt", "")


def test_a_tokenizer_that_adds_bos_says_so(qwen3: Path, tmp_path: Path) -> None:
    """The post-processor decides, and llama.cpp does the same."""
    from tokenizers import Tokenizer, processors

    folder = copy_of(qwen3, tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    change_json(folder / "tokenizer_config.json", bos_token="<|endoftext|>")
    written = convert(folder, tmp_path / "model.gguf", "F16")
    with llama_server(written.path) as server:
        assert server.tokenize("ships", add_special=True) == tokenizer.encode("ships").ids
    assert tokenizer.encode("ships").ids[0] == 0


@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_merging_equals_peft(qwen3: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    """Row by row with numpy gives what `merge_and_unload` gives, for each kind of adapter."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = tiny_models.save_adapter(tmp_path / "adapter", qwen3, **options)
    base = AutoModelForCausalLM.from_pretrained(qwen3, dtype=torch.float32)
    expected = PeftModel.from_pretrained(base, adapter).merge_and_unload().state_dict()
    with ModelWeights(qwen3, adapter) as weights:
        changed = 0
        for name, tensor in weights.tensors.items():
            values = np.concatenate(list(weights.chunks(name, multiple_of=3)))
            np.testing.assert_allclose(values, expected[name].numpy(), atol=2e-6, err_msg=name)
            with ModelWeights(qwen3) as plain:
                changed += not np.array_equal(values, plain.rows(name, 0, tensor.shape[0]))
    assert changed == 14


def test_a_merged_folder_loads_in_the_bases_own_format(qwen3: Path, tmp_path: Path) -> None:
    """Types, tokenizer and template are the base's; values are the merged ones, rounded."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = tiny_models.save_adapter(tmp_path / "adapter", qwen3)
    merge(qwen3, adapter, tmp_path / "merged", numbers="bf16")
    merge(qwen3, adapter, tmp_path / "again", numbers="bf16")
    assert (tmp_path / "merged/model.safetensors").read_bytes() == (tmp_path / "again/model.safetensors").read_bytes()
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert loaded.dtype == torch.bfloat16
    with ModelWeights(qwen3, adapter) as weights:
        name = "model.layers.0.self_attn.q_proj.weight"
        exact = torch.from_numpy(weights.rows(name, 0, 256).copy())
    assert torch.equal(loaded.state_dict()[name], exact.to(torch.bfloat16))
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template == tiny_models.TEMPLATE


def copy_of(folder: Path, target: Path) -> Path:
    """A copy that a test may damage."""
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def change_json(file: Path, **values: Any) -> None:
    """Set keys of a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def _other_architecture(folder: Path) -> None:
    change_json(folder / "config.json", architectures=["GPT2LMHeadModel"])


def _dynamic(folder: Path) -> None:
    change_json(folder / "config.json", rope_parameters={"rope_type": "dynamic", "factor": 4.0})


def _other_activation(folder: Path) -> None:
    change_json(folder / "config.json", hidden_act="relu")


def _quantised(folder: Path) -> None:
    change_json(folder / "config.json", quantization_config={"quant_method": "gptq"})


def _window(folder: Path) -> None:
    change_json(folder / "config.json", use_sliding_window=True)


def _unknown_split(folder: Path) -> None:
    change_json(folder / "tokenizer.json", pre_tokenizer={"type": "Whitespace"})


def _normalizer(folder: Path) -> None:
    change_json(folder / "tokenizer.json", normalizer={"type": "Lowercase"})


def _word_piece(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    change_json(folder / "tokenizer.json", model=content["model"] | {"type": "WordPiece"})


def _too_many_tokens(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    extra = {**content["added_tokens"][0], "id": 5000, "content": "<extra>"}
    change_json(folder / "tokenizer.json", added_tokens=[*content["added_tokens"], extra])


def _cut_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _strange_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    save_file(
        tensors | {"model.layers.0.experts.weight": tensors["model.norm.weight"].clone()}, folder / "model.safetensors"
    )


def _huge_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][3, 3] = 1e6
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "code", "word"),
    [
        (_other_architecture, "unsupported-architecture", "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM"),
        (_dynamic, "unsupported-architecture", "dynamic"),
        (_other_activation, "unsupported-architecture", "relu"),
        (_quantised, "unsupported-architecture", "gptq"),
        (_window, "unsupported-architecture", "window"),
        (_strange_weights, "unsupported-architecture", "model.layers.0.experts.weight"),
        (_unknown_split, "unsupported-tokenizer", "Whitespace"),
        (_normalizer, "unsupported-tokenizer", "Lowercase"),
        (_word_piece, "unsupported-tokenizer", "WordPiece"),
        (_too_many_tokens, "unsupported-tokenizer", "5000"),
        (_cut_weights, "model-invalid", "model.safetensors"),
        (_no_weights, "model-invalid", "no model.safetensors"),
        (_huge_weight, "weights-overflow", "model.layers.0.mlp.up_proj.weight"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    qwen3: Path, tmp_path: Path, damage: Any, code: str, word: str
) -> None:
    """A sentence says what it is, and no file is left behind."""
    folder = copy_of(qwen3, tmp_path / "model")
    damage(folder)
    with pytest.raises(TunesmithError) as caught:
        convert(folder, tmp_path / "out" / "model.gguf", "F16")
    assert caught.value.code == code
    assert word in caught.value.message
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_an_adapter_for_another_model_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    """Every part must have its place, of its size."""
    adapter = tiny_models.save_adapter(tmp_path / "adapter", models["llama-biased"], modules_to_save=["lm_head"])
    with pytest.raises(TunesmithError, match="no place in the base") as caught:
        convert(models["qwen3"], tmp_path / "model.gguf", "F16", adapter=adapter)
    assert caught.value.code == "adapter-unsupported"


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_short_is_noticed(
    gguf_bytes: bytes, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    """Wherever the cut is."""
    file = tmp_path_factory.mktemp("cut") / "cut.gguf"
    file.write_bytes(gguf_bytes[: int(len(gguf_bytes) * share)])
    with pytest.raises(GgufDamaged):
        check_structure(file)


@pytest.fixture(scope="module")
def gguf_bytes(qwen3: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good file."""
    return convert(qwen3, tmp_path_factory.mktemp("good") / "good.gguf", "Q8_0").path.read_bytes()


@pytest.mark.parametrize(
    "template",
    [
        tiny_models.TEMPLATE,
        "{% for m in messages %}\n  {%- generation -%}\n  {{ m.content }} \n  {% endgeneration %}\n{% endfor %}",
        "{% for m in messages %}{%+ generation %}  {{ m.content }}\n{%- endgeneration +%}\n\n{% endfor %}",
    ],
)
def test_a_portable_template_renders_the_same_bytes(template: str) -> None:
    """The markers go, white space stays as it was."""
    from transformers.utils.chat_template_utils import render_jinja_template

    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": " a "}]
    rendered = [
        render_jinja_template(conversations=[messages], chat_template=text)[0][0]
        for text in (template, portable_template(template))
    ]
    assert rendered[0] == rendered[1]
    assert "generation %" not in portable_template(template)


def test_memory_does_not_grow_with_the_model(qwen3: Path, tmp_path: Path) -> None:
    """Peak memory of the process stays under twice the largest tensor and 300 MiB, on a model larger than that."""
    folder = copy_of(qwen3, tmp_path / "model")
    layers, hidden, inner = 6, 1024, 8192
    change_json(
        folder / "config.json", num_hidden_layers=layers, hidden_size=hidden, intermediate_size=inner, head_dim=256
    )
    largest = hidden * inner * 4
    with (folder / "model.safetensors").open("wb") as file:
        shapes = {"model.embed_tokens.weight": [424, hidden]}
        for layer in range(layers):
            for part in ("gate_proj", "up_proj", "down_proj"):
                shapes[f"model.layers.{layer}.mlp.{part}.weight"] = (
                    [hidden, inner] if part == "down_proj" else [inner, hidden]
                )
        header, offset = {}, 0
        for name, shape in shapes.items():
            size = shape[0] * shape[1] * 4
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
            offset += size
        packed = json.dumps(header).encode()
        file.write(len(packed).to_bytes(8, "little") + packed)
        block = np.linspace(-1, 1, hidden * inner, dtype=np.float32).tobytes()
        for shape in shapes.values():
            file.write(block[: shape[0] * shape[1] * 4])
    assert offset > 500 * 2**20
    program = (
        "import re, sys; from pathlib import Path; from tunesmith.ml.gguf import convert;"
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), 'Q8_0');"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "big.gguf")]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(answer.stdout) * 1024 < 2 * largest + 300 * 2**20
