"""`/v1/embeddings`: the official client gets vectors from folders, GGUF files and encoders; what is not done is refused by name."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tunesmith.domains.models import bundled_folder

TEXTS = ["배는 몇 시에 떠나요?", "배 시간표를 알려 주세요", "def add(left, right): return left + right"]
CONVERT = (
    "import sys; from pathlib import Path; from tunesmith.ml.gguf import convert; "
    "convert(Path(sys.argv[1]), Path(sys.argv[2]), 'F32', name='b')"
)
ENCODER = """
import sys, torch
from transformers import BertConfig, BertModel
torch.manual_seed(3)
sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
BertModel(BertConfig(vocab_size=300, max_position_embeddings=40, **sizes)).save_pretrained(sys.argv[1])
"""
FIRST = """
import json, sys, torch
from transformers import BertModel
model = BertModel.from_pretrained(sys.argv[1]).eval()
hidden = model(input_ids=torch.tensor([json.loads(sys.argv[2])])).last_hidden_state[0, 0]
print(json.dumps((hidden / hidden.norm()).tolist()))
"""


def run(code: str, *arguments: str) -> str:
    """A program with the libraries of the engine room."""
    return subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def url(serve_app: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, folder: Path) -> str:
    return serve_app(models={"allowed_roots": [folder]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that are made for this file."""
    return tmp_path_factory.mktemp("embedders")


@pytest.fixture(scope="module")
def encoder(folder: Path, tiny_model: Path) -> Path:
    """A small encoder as sentence-transformers saves one: the first token's state stands for the text."""
    place = folder / "encoder"
    run(ENCODER, str(place))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (place / name).write_bytes((tiny_model / name).read_bytes())
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [{"idx": at, "type": f"sentence_transformers.models.{kind}"} for at, kind in enumerate(kinds)]
    (place / "modules.json").write_text(json.dumps(modules))
    (place / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 30}))
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    return place


def vectors(url: str, model: str, inputs: Any) -> np.ndarray[Any, Any]:
    """What the official client gets (it asks for base64 and turns it into numbers)."""
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="local", max_retries=0, timeout=300)
    made = client.embeddings.create(model=model, input=inputs)
    assert [one.index for one in made.data] == list(range(len(made.data)))
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0
    return np.array([one.embedding for one in made.data])


def test_a_folder_and_its_gguf_file_give_the_same_vectors(url: str, folder: Path) -> None:
    file = folder / "bundled.gguf"
    run(CONVERT, str(bundled_folder()), str(file))
    by_folder, by_file = vectors(url, "tunesmith/tiny", TEXTS), vectors(url, str(file), TEXTS)
    np.testing.assert_allclose(np.linalg.norm(by_folder, axis=1), 1, atol=1e-5)
    assert float((by_folder * by_file).sum(1).min()) > 0.999
    assert float((by_folder @ by_folder.T)[np.triu_indices(3, 1)].max()) < 0.99
    np.testing.assert_allclose(vectors(url, "tunesmith/tiny", TEXTS[0])[0], by_folder[0], atol=1e-5)


def test_an_encoder_is_pooled_as_its_folder_says_and_does_not_chat(url: str, encoder: Path) -> None:
    ids = [7, 80, 90, 3]
    expected = json.loads(run(FIRST, str(encoder), json.dumps(ids)))
    found = vectors(url, str(encoder), [ids, [5, 6]])
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    assert float(np.abs(found[0] - found[1]).max()) > 1e-3
    body = {"model": str(encoder), "messages": [{"role": "user", "content": "안녕"}]}
    refused = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "embedding-only")
    long = httpx.post(f"{url}/v1/embeddings", json={"model": str(encoder), "input": "가" * 31}, timeout=60)
    assert (long.status_code, long.json()["error"]["code"]) == (422, "context-overflow")


def test_both_encodings_say_the_same(url: str) -> None:
    said = {}
    for encoding in ("float", "base64"):
        body = {"model": "tunesmith/tiny", "input": TEXTS[:1], "encoding_format": encoding, "user": "me"}
        answer = httpx.post(f"{url}/v1/embeddings", json=body, timeout=300).json()
        assert (answer["object"], answer["model"], answer["data"][0]["object"]) == (
            "list",
            "tunesmith/tiny",
            "embedding",
        )
        said[encoding] = answer["data"][0]["embedding"]
    packed = np.frombuffer(base64.b64decode(said["base64"]), "<f4")
    np.testing.assert_array_equal(packed, np.array(said["float"], np.float32))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"dimensions": 64}, 422, "unsupported-field"),
        ({"something": 1}, 422, "unsupported-field"),
        ({"input": ""}, 422, None),
        ({"input": []}, 422, None),
        ({"input": ["a", ""]}, 422, None),
        ({"input": [1, "a"]}, 422, None),
        ({"input": [-1]}, 422, None),
        ({"input": [10**6]}, 422, "prompt-refused"),
        ({"input": ["a"] * 2049}, 422, None),
        ({"input": "가" * 20_000}, 422, "context-overflow"),
        ({"encoding_format": "int8"}, 422, None),
        ({"model": "nobody/nothing"}, 404, "model-not-found"),
    ],
)
def test_what_cannot_become_a_vector_is_refused(
    url: str, change: dict[str, Any], status: int, code: str | None
) -> None:
    answer = httpx.post(f"{url}/v1/embeddings", json={"model": "tunesmith/tiny", "input": "a", **change}, timeout=300)
    error = answer.json()["error"]
    assert answer.status_code == status, answer.text
    assert set(error) == {"message", "type", "code", "param"}
    assert code is None or error["code"] == code
