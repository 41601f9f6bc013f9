"""Runs, versions and exports on the Hub: each is one commit with its card, and names no path of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.domains.registry.house import ADMIN, House, open_house
from tests.fixtures.hub_server import HubServer, Repo

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKEN = {"access_token": "hf_writer"}


@pytest.fixture(scope="module")
def environment(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the Hub is."""
    return {
        "TUNESMITH_MODELS__HUB_ENDPOINT": hub.url,
        "TUNESMITH_MODELS__HUB_OFFLINE": "0",
        "TUNESMITH_MODELS__HF_HOME": str(tmp_path_factory.mktemp("hf")),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        async with open_house(tmp_path_factory.mktemp("house")) as opened:
            yield opened


async def pushed(house: House, hub: HubServer, repo_id: str, **what: Any) -> Repo:
    """What the Hub has after a push."""
    result = await house.run("/models/push", {**TOKEN, "repo_id": repo_id, **what})
    repo = hub.repos[repo_id]
    assert (result["repo_id"], result["commit"], sorted(result["files"])) == (repo_id, repo.sha, sorted(repo.files))
    assert len(repo.commits) == 1
    assert not any(str(house.folder).encode() in content for content in repo.files.values())
    return repo


async def test_a_run_and_a_version_are_their_adapter_with_a_card(house: House, hub: HubServer) -> None:
    weights = (house.adapter / "adapter_model.safetensors").read_bytes()
    jobs = (await house.http.get(f"{ADMIN}/jobs", params={"kind": "train"})).json()["items"]
    config = house.adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(house.base)}))
    for number, (reference, says) in enumerate(
        ((f"run:{jobs[0]['id']}", f"run:{jobs[0]['id']}"), ("harbour@1.0.0", "항구 | 안내"))
    ):
        repo = await pushed(house, hub, f"team/guide-{number}", model=reference)
        assert repo.files["adapter_model.safetensors"] == weights
        assert json.loads(repo.files["adapter_config.json"])["base_model_name_or_path"] == house.base.name
        assert says.replace("|", "\\|") in repo.files["README.md"].decode() or says in repo.files["README.md"].decode()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_an_export_is_pushed_whole_from_the_service_and_from_the_command_line(
    house: House, hub: HubServer, environment: dict[str, str]
) -> None:
    outputs = [{"format": "gguf", "method": "Q8_0"}, {"format": "hf"}]
    of_version = (await house.run("/exports", {"model": "harbour@1.0.0", "outputs": outputs}))["exports"]
    [of_folder] = (await house.run("/exports", {"model": str(house.base), "outputs": outputs[:1]}))["exports"]
    file, folder = of_version
    repo = await pushed(house, hub, "team/file", model_id=house.version_id, export_id=file["id"])
    assert repo.files[Path(file["path"]).name] == Path(file["path"]).read_bytes()
    assert "harbour" in repo.files["README.md"].decode()
    repo = await pushed(house, hub, "team/folder", export_id=folder["id"])
    there = {f.name: f.read_bytes() for f in Path(folder["path"]).iterdir()}
    assert repo.files == there
    assert {"config.json", "tokenizer.json", "README.md"} < set(there)
    command = ["--data-dir", str(house.folder), "models", "push", f"export:{of_folder['id']}", "team/loose", "--public"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tunesmith")), *command, "--token", "hf_writer", "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commit"] == hub.repos["team/loose"].sha
    assert hub.repos["team/loose"].private is False
    assert any(name.endswith(".gguf") for name in hub.repos["team/loose"].files)


async def test_an_export_that_is_not_there_is_named(house: House, hub: HubServer) -> None:
    for what, status in (
        ({"export_id": 999}, 404),
        ({"model_id": 1}, 422),
        ({}, 422),
        ({"model": "x", "export_id": 1}, 422),
    ):
        answer = await house.http.post(f"{ADMIN}/models/push", json={**TOKEN, "repo_id": "team/none", **what})
        assert answer.status_code == status, answer.text
    assert "team/none" not in hub.repos
