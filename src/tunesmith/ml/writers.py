"""Formats that need no torch: GGUF, merged folders, a folder for the Hub, an adapter, Ollama, a zip that runs."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from tunesmith.kit.errors import Unsupported
from tunesmith.kit.paths import atomic_file, atomic_folder
from tunesmith.ml.ends import end_ids
from tunesmith.ml.export_task import ExportFailed, Task
from tunesmith.ml.gguf import convert
from tunesmith.ml.lora import ADAPTER_FILE
from tunesmith.ml.merge import TEXT_COMPANIONS, Overflow, copy_companions, merge
from tunesmith.text import ChatTemplate, ChatTemplateMissing, TextTokenizer
from tunesmith.text.folder import read_json
from tunesmith.text.modelfile import Modelfile
from tunesmith.text.ollama import Translated, translate

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same bytes each time."""


class NoAdapter(Unsupported):
    """There is no adapter to export."""

    code, title = "no-adapter", "The model has no adapter"
    hint = "Export it as merged, hf or gguf."


def write_gguf(task: Task) -> None:
    """One GGUF file."""
    done = convert(
        task.model,
        task.target,
        str(task.method),
        adapter=task.adapter,
        name=task.title,
        importance=task.importance,
        on_bytes=task.tell,
    )
    for note in done.notes:
        task.log(note)


def write_merged(task: Task) -> None:
    """A model folder."""
    with atomic_folder(task.target) as folder:
        merge_into(task, folder, task.method)


def merge_into(task: Task, folder: Path, numbers: str | None) -> None:
    """Base and adapter as one model in ``folder``."""
    try:
        merge(
            task.model,
            task.adapter,
            folder,
            task.tell,
            numbers=numbers,
            max_shard_bytes=task.max_shard_bytes,
        )
    except Overflow as error:
        raise ExportFailed(f"{error}.") from error


def write_hf(task: Task) -> None:
    """A model folder with everything that the Hub and its users look for: card, tokenizer, template, generation settings."""
    with atomic_folder(task.target) as folder:
        merge_into(task, folder, task.method)
        complete_generation(folder)
        (folder / "README.md").write_text(model_card(task, "transformers"), encoding="utf-8")


def write_adapter(task: Task) -> None:
    """The adapter with the name of its base instead of a path of this machine, and the tokenizer and template it was trained with."""
    if task.adapter is None:
        raise NoAdapter(f"{task.title} has no adapter: all of its weights were trained, or none.")
    with atomic_folder(task.target) as folder:
        config = read_json(task.adapter / "adapter_config.json")
        config["base_model_name_or_path"] = task.base_model
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        shutil.copyfile(task.adapter / ADAPTER_FILE, folder / ADAPTER_FILE)
        copy_companions(task.model, folder, TEXT_COMPANIONS)
        task.tell((folder / ADAPTER_FILE).stat().st_size)
        (folder / "README.md").write_text(model_card(task, "peft"), encoding="utf-8")


def write_ollama(task: Task) -> None:
    """A GGUF file and the Modelfile that makes an Ollama model of it."""
    file = modelfile(task.model, f"./{task.name}-{task.method}.gguf")
    with atomic_folder(task.target) as folder:
        done = convert(
            task.model,
            folder / f"{task.name}-{task.method}.gguf",
            str(task.method),
            adapter=task.adapter,
            name=task.title,
            importance=task.importance,
            on_bytes=task.tell,
        )
        for note in done.notes:
            task.log(note)
        (folder / "Modelfile").write_text(file.write(), encoding="utf-8")


def modelfile(model: Path, gguf: str) -> Modelfile:
    """The Modelfile of a model folder's GGUF file; raises TemplateNotTranslatable."""
    tokenizer = TextTokenizer.from_folder(model)
    try:
        said = translate(ChatTemplate.from_folder(model), leave_out=tokenizer.added_beginning)
    except ChatTemplateMissing:
        said = Translated("{{ .Prompt }}")
    config, generation = read_json(model / "config.json"), read_json(model / "generation_config.json")
    stops = [tokenizer.decode([i], skip_special_tokens=False) for i in end_ids(config, generation, tokenizer)]
    parameters: dict[str, list[str]] = {"stop": stops} if stops else {}
    for name, ollama in (("temperature", "temperature"), ("top_p", "top_p"), ("top_k", "top_k")):
        if isinstance(generation.get(name), int | float):
            parameters[ollama] = [str(generation[name])]
    if isinstance(generation.get("repetition_penalty"), int | float):
        parameters["repeat_penalty"] = [str(generation["repetition_penalty"])]
    if isinstance(config.get("max_position_embeddings"), int):
        parameters["num_ctx"] = [str(min(config["max_position_embeddings"], 8192))]
    return Modelfile(gguf, said.template, said.system, parameters, trims=said.trims)


def write_zip(task: Task) -> None:
    """A GGUF file, a script that runs it, and how: all that another machine needs."""
    task.target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=task.target.parent, prefix=".parts-") as place:
        parts = Path(place)
        done = convert(
            task.model,
            parts / "model.gguf",
            str(task.method),
            adapter=task.adapter,
            name=task.title,
            importance=task.importance,
            on_bytes=task.tell,
        )
        for note in done.notes:
            task.log(note)
        for name in ("run.py", "README.md", "requirements.txt"):
            (parts / name).write_text(bundled(f"gguf-{name}").replace("MODEL_TITLE", task.title), encoding="utf-8")
        with atomic_file(task.target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for part in sorted(parts.iterdir()):
                _add(archive, part, f"{task.name}/{part.name}", task)


def _add(archive: zipfile.ZipFile, part: Path, name: str, task: Task) -> None:
    entry = zipfile.ZipInfo(name, ZIP_TIME)
    entry.external_attr = (0o755 if part.suffix == ".py" else 0o644) << 16
    entry.file_size = part.stat().st_size  # tells whether it needs the large form
    with part.open("rb") as source, archive.open(entry, "w", force_zip64=entry.file_size >= 2**31) as target:
        while piece := source.read(8 * 2**20):
            target.write(piece)
            task.tell(entry.file_size)


def bundled(name: str) -> str:
    """A text that goes with an artefact: the script that runs it, and how."""
    return (files("tunesmith") / "bundle" / "portable" / f"{name}.txt").read_text(encoding="utf-8")


def complete_generation(folder: Path) -> None:
    """Say which tokens end an answer: a model that does not know talks on and on after it leaves this machine."""
    config, generation = read_json(folder / "config.json"), read_json(folder / "generation_config.json")
    tokenizer = TextTokenizer.from_folder(folder)
    ends = end_ids(config, generation, tokenizer)
    if ends:
        generation["eos_token_id"] = ends if len(ends) > 1 else ends[0]
    for name, token_id in (("bos_token_id", tokenizer.bos_id), ("pad_token_id", tokenizer.pad_id)):
        if token_id is not None:
            generation.setdefault(name, token_id)
    with atomic_file(folder / "generation_config.json") as file:
        file.write(json.dumps(generation, indent=2).encode() + b"\n")


def model_card(task: Task, library: str) -> str:
    """README.md with the head that the Hub reads."""
    head: dict[str, Any] = {"library_name": library, "pipeline_tag": "text-generation", "tags": ["tunesmith"]}
    if not task.base_model.startswith((".", "/")):
        head["base_model"] = task.base_model
    lines = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in sorted(head.items()))
    use = _USE_PEFT if library == "peft" else _USE
    body = task.card or f"# {task.title}\n\nMade from `{task.base_model}` with Tunesmith.\n"
    return f"---\n{lines}\n---\n\n{body.rstrip()}\n\n{use.replace('BASE', task.base_model)}"


_USE = """## Use this folder

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
messages = [{"role": "user", "content": "Hello!"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))
```
"""

_USE_PEFT = """## Use this folder

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("BASE"), ".")
```
"""
