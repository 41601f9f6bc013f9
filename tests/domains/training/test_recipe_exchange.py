"""Recipes from and for other programs, over HTTP and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

RECIPES = "/api/v1/admin/recipes"
AXOLOTL = (
    "base_model: tunesmith/tiny\nadapter: lora\nlora_r: 4\nlora_alfa: 8\ndatasets: [{path: rows.jsonl, type: alpaca}]\n"
)
LLAMAFACTORY = "model_name_or_path: tunesmith/tiny\nfinetuning_type: lora\ndataset: rows.jsonl\nstage: sft\n"


@pytest.mark.parametrize(("text", "program"), [(AXOLOTL, "axolotl"), (LLAMAFACTORY, "llamafactory")])
async def test_an_imported_recipe_is_one_of_ours(client: httpx.AsyncClient, text: str, program: str) -> None:
    read = (await client.post(f"{RECIPES}/import", json={"yaml": text, "name": "mine"})).json()
    assert (read["program"], read["valid"], read["errors"]) == (program, True, [])
    checked = (await client.post(f"{RECIPES}/validate", json={"yaml": read["yaml"]})).json()
    assert checked["valid"]
    assert checked["recipe"] == read["recipe"]
    if program == "axolotl":
        (left,) = read["left_out"]
        assert (left["key"], left["nearest"]) == ("lora_alfa", "lora_alpha")


@pytest.mark.parametrize("text", ["", "- 1", "a: b", "base_model: [", "base_model: &x 1\nadapter: *x", "{}", "\x00"])
async def test_what_is_no_foreign_recipe_is_refused(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.post(f"{RECIPES}/import", json={"yaml": text})
    assert answer.status_code == 422
    assert answer.json()["type"] == "configuration"


async def test_export_and_back(client: httpx.AsyncClient) -> None:
    recipe = {"name": "x", "model": {"base": "tunesmith/tiny"}, "data": {"train": "rows.jsonl"}}
    answer = await client.post(f"{RECIPES}/export", json={"recipe": recipe, "custom": {"lora_qkv_kernel": True}})
    assert answer.status_code == 200, answer.text
    config = yaml.safe_load(answer.json()["yaml"])
    assert config == answer.json()["config"]
    assert (config["base_model"], config["adapter"], config["lora_qkv_kernel"]) == ("tunesmith/tiny", "lora", True)
    back = (await client.post(f"{RECIPES}/import", json={"yaml": answer.json()["yaml"]})).json()
    assert back["valid"]
    assert back["recipe"]["training"]["learning_rate"] == 2e-4
    wrong = await client.post(f"{RECIPES}/export", json={"recipe": recipe, "custom": {"nothing": 1}})
    assert (wrong.status_code, wrong.json()["errors"][0]["location"]) == (422, "custom.nothing")


def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(AXOLOTL)
    program = Path(sys.executable).with_name("tunesmith")
    command = [str(program), "--data-dir", str(tmp_path / "data"), "recipe"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)

    done = run("import", "theirs.yaml", "--output", "ours.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recipe"]["name"] == "theirs"
    done = run("export", "ours.yaml")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["lora_r"] == 4
