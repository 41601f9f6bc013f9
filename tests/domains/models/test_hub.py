"""The Hub, by its real client, against a local server that speaks its protocol: search, details, download, delete."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tests.fixtures.hub_server import HubServer, Repo
from tests.fixtures.server import Server, wait_until
from tests.fixtures.serving import client_of
from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.api.app import create_app
from tunesmith.settings import load_settings

BASE = "/api/v1/admin/base-models"
SECRET = "hf_reader"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("source") / "model")


@pytest.fixture(scope="module")
def server(
    make_server: Callable[..., Server], hub: HubServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    running = make_server(
        TUNESMITH_MODELS__HUB_ENDPOINT=hub.url,
        TUNESMITH_MODELS__HUB_OFFLINE="0",
        TUNESMITH_MODELS__HF_HOME=str(tmp_path_factory.mktemp("hf")),
        TUNESMITH_MODELS__MIN_FREE_DISK_BYTES="1000",
        TUNESMITH_DEVICE="cpu",
        FETCH_PAUSE_SECONDS="0.05",
    ).start()
    yield running
    running.close()


def add(hub: HubServer, model: Path, name: str, **how: Any) -> tuple[str, Repo]:
    """A repository of its own for one test: its commit is its own too."""
    repo = hub.add(f"acme/{name}", model, **how)
    repo.files["README.md"] = name.encode()
    return f"acme/{name}", repo


def download(server: Server, model_id: str, **body: Any) -> Any:
    """The answer, or the job's end when a busy machine takes longer than one may wait."""
    answer = server.http.post(f"{BASE}/download", params={"wait": 60}, json={"model_id": model_id, **body}, timeout=90)
    assert answer.status_code in (200, 202), answer.text
    if answer.status_code == 200:
        return answer.json()
    return server.wait_for_job(answer.json()["job_id"])["result"]


def job_of(server: Server, model_id: str) -> Any:
    jobs = server.http.get("/api/v1/admin/jobs", params={"kind": "download"}).json()["items"]
    return next(job for job in jobs if job["spec"]["model_id"] == model_id)


def test_search_pages_filters_and_measures(server: Server, hub: HubServer, model: Path) -> None:
    add(hub, model, "find-small", downloads=5)
    add(hub, model, "find-popular", downloads=900, license="mit", gated="auto")
    first = server.http.get(BASE, params={"source": "hub", "search": "find", "page_size": 1}).json()
    assert [item["model_id"] for item in first["items"]] == ["acme/find-popular"]
    assert (first["has_more"], first["total"]) == (True, 2)
    second = server.http.get(BASE, params={"source": "hub", "search": "find", "page_size": 1, "page": 2}).json()
    assert [item["model_id"] for item in second["items"]] == ["acme/find-small"]
    assert second["has_more"] is False
    popular = first["items"][0]
    assert (popular["license"], popular["gated"], popular["is_local"]) == ("mit", "auto", False)
    assert popular["num_parameters"] == 351744
    fits = popular["fits_here"]
    assert fits["fits"] is fits["inference"]["fits"] is True
    assert fits["inference"]["needed_bytes"] < fits["lora"]["needed_bytes"] < fits["full"]["needed_bytes"] * 2
    by_license = server.http.get(BASE, params={"source": "hub", "search": "find", "license": "mit"}).json()
    assert [item["model_id"] for item in by_license["items"]] == ["acme/find-popular"]
    none = server.http.get(BASE, params={"source": "hub", "search": "find", "min_parameters": 10**9}).json()
    assert (none["items"], none["total"]) == ([], 0)


def test_details_without_a_download(server: Server, hub: HubServer, model: Path) -> None:
    model_id, repo = add(hub, model, "details", tells_size=False, likes=7)
    for path in (f"/model/info/{model_id}", f"{BASE}/{model_id}"):
        info = server.http.get(path).json()
        assert (info["architecture"], info["dtype"], info["likes"]) == ("Qwen3ForCausalLM", "float32", 7)
        assert (info["context_length"], info["vocab_size"], info["chat_template"]) == (512, 260, True)
        assert info["num_parameters"] == 351744, "read from the headers of the weights, by ranges"
        assert (info["revision"], info["license"], info["problem"]) == (repo.sha, "apache-2.0", None)
        sizes = {file["path"]: file["size_bytes"] for file in info["files"]}
        assert sizes["model.safetensors"] == len(repo.files["model.safetensors"])
        assert info["download_bytes"] == sum(sizes.values())
        assert info["fits_on_disk"] is True
    assert not hub.asked("GET", f"storage/{model_id}/.*") or all(
        "range" in headers for _, _, headers in hub.asked("GET", f"storage/{model_id}")
    )


def test_a_download_comes_whole_and_verified(server: Server, hub: HubServer, model: Path) -> None:
    model_id, repo = add(hub, model, "whole")
    repo.files |= {"pytorch_model.bin": b"pickle", "run.py": b"import os", "original/weights.pth": b"x"}
    stored = download(server, model_id)
    assert (stored["cached"], stored["revision"], stored["architecture"]) == (False, repo.sha, "Qwen3ForCausalLM")
    folder = Path(stored["path"])
    names = {f.name for f in folder.iterdir() if not f.name.startswith(".")}
    assert names == {f.name for f in model.iterdir()} | {"README.md"}, "no pickles, no programs, nothing half"
    assert all((folder / name).read_bytes() == repo.files[name] for name in names)
    assert json.loads((folder / ".tunesmith.json").read_text())["license"] == "apache-2.0"
    again = download(server, model_id)
    assert (again["cached"], again["path"]) == (True, stored["path"])
    listed = server.http.get(BASE, params={"search": "whole"}).json()["items"]
    assert [(item["model_id"], item["revision"]) for item in listed] == [(model_id, repo.sha)]
    repo.files["README.md"] = b"a newer commit"
    assert download(server, model_id)["cached"] is True, "what is here is enough when no revision is asked for"
    newer = download(server, model_id, revision="main")
    assert (newer["cached"], newer["revision"]) == (False, repo.sha)
    assert (folder / "README.md").read_bytes() == b"a newer commit"


def test_a_broken_transfer_is_gone_on_with(server: Server, hub: HubServer, model: Path) -> None:
    model_id, _ = add(hub, model, "broken", break_after=300_000, breaks=3)
    assert download(server, model_id)["cached"] is False
    starts = [headers.get("range") for _, _, headers in hub.asked("GET", f"storage/{model_id}")]
    assert len(starts) == 4
    assert all(start and start != "bytes=0-" for start in starts[1:]), (
        f"each try goes on where the last ended: {starts}"
    )


@pytest.mark.parametrize(("wrong", "state"), [(1, "succeeded"), (9, "failed")])
def test_a_file_that_is_not_what_it_should_be(
    server: Server, hub: HubServer, model: Path, wrong: int, state: str
) -> None:
    model_id, _ = add(hub, model, f"wrong-{wrong}", wrong=wrong)
    started = server.http.post(f"{BASE}/download", params={"wait": 0}, json={"model_id": model_id}).json()
    job = server.wait_for_job(started["job_id"])
    assert job["state"] == state
    if state == "failed":
        assert job["error"]["code"] == "download-damaged"
        assert "SHA-256" in job["error"]["message"]
        assert not (server.data_dir / "models" / model_id).exists(), "nothing half is ever in the store"


def test_progress_cancel_and_resume(server: Server, hub: HubServer, model: Path) -> None:
    model_id, repo = add(hub, model, "slow", slow_seconds=0.05)
    started, second = (
        server.http.post(f"{BASE}/download", params={"wait": 0}, json={"model_id": model_id}) for _ in range(2)
    )
    assert started.status_code == 202
    job_id = started.json()["job_id"]
    assert second.json()["job_id"] == job_id, "one download of a commit at a time"

    def half() -> bool:
        job = server.http.get(f"/api/v1/admin/jobs/{job_id}").json()
        return 0.2 < job["progress"] < 0.9 and job["message"] == "model.safetensors"

    wait_until("the download to be on its way", half)
    assert server.http.post(f"/api/v1/admin/jobs/{job_id}/cancel").status_code == 200
    assert server.wait_for_job(job_id)["state"] == "cancelled"
    assert not (server.data_dir / "models" / model_id).exists()
    repo.slow_seconds = 0
    before = len(hub.asked("GET", f"storage/{model_id}"))
    assert server.http.post(f"/api/v1/admin/jobs/{job_id}/retry").status_code == 200
    assert server.wait_for_job(job_id)["state"] == "succeeded"
    last = hub.asked("GET", f"storage/{model_id}")[before]
    assert int(last[2]["range"].removeprefix("bytes=").rstrip("-")) > 100_000, "what was here was not fetched again"


def test_who_may_not_read_is_told_at_once(server: Server, hub: HubServer, model: Path) -> None:
    gated, _ = add(hub, model, "gated", gated="manual")
    private, _ = add(hub, model, "private", private=True)
    jobs = server.http.get("/api/v1/admin/jobs").json()["total"]
    for body, status, code in (
        ({"model_id": gated}, 401, "hub-token-needed"),
        ({"model_id": gated, "access_token": "hf_stranger"}, 403, "hub-access-denied"),
        ({"model_id": gated, "access_token": "열쇠"}, 401, "hub-token-needed"),
        ({"model_id": private}, 404, "hub-model-not-found"),
        ({"model_id": "acme/nothing"}, 404, "hub-model-not-found"),
        ({"model_id": gated, "revision": "v9"}, 404, "hub-revision-not-found"),
        ({"model_id": "../etc"}, 422, "validation"),
        ({"model_id": "a/b/c"}, 422, "validation"),
    ):
        answer = server.http.post(f"{BASE}/download", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "token" in server.http.get(f"/model/info/{private}").json()["hint"]
    assert server.http.get("/api/v1/admin/jobs").json()["total"] == jobs, "a refusal leaves no job"
    seen = server.http.get(f"/model/info/{private}", params={"access_token": SECRET})
    assert (seen.status_code, seen.json()["private"]) == (200, True)


def test_a_token_is_used_sealed_and_gone(server: Server, hub: HubServer, model: Path) -> None:
    model_id, _ = add(hub, model, "sealed", gated="auto")
    answer = server.http.post(
        f"{BASE}/download", params={"wait": 0}, json={"model_id": model_id}, headers={"x-hf-token": SECRET}
    )
    assert server.wait_for_job(answer.json()["job_id"])["state"] == "succeeded"
    assert hub.asked("GET", f"{model_id}/resolve")[-1][2]["authorization"] == f"Bearer {SECRET}"
    assert all("authorization" not in headers for _, _, headers in hub.asked("GET", f"storage/{model_id}"))
    key = server.data_dir / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    for path in server.data_dir.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), f"{path} has the token"
    assert SECRET not in server.log()
    job = job_of(server, model_id)
    assert SECRET not in json.dumps(job)
    assert isinstance(job["spec"]["token_id"], int)


def test_what_can_never_be_loaded_is_refused_before(server: Server, hub: HubServer, model: Path) -> None:
    pickled, repo = add(hub, model, "pickled")
    repo.files["pytorch_model.bin"] = repo.files.pop("model.safetensors")
    answer = server.http.post(f"{BASE}/download", json={"model_id": pickled})
    assert (answer.status_code, answer.json()["code"]) == (422, "pickle-weights")
    assert "tunesmith models convert" in answer.json()["hint"]
    assert "pickle" in server.http.get(f"/model/info/{pickled}").json()["problem"]
    coded, repo = add(hub, model, "own-code")
    config = json.loads(repo.files["config.json"]) | {"auto_map": {"AutoModel": "x.Y"}}
    repo.files["config.json"] = json.dumps(config).encode()
    assert server.http.post(f"{BASE}/download", json={"model_id": coded}).json()["code"] == "remote-code"


def test_notes_filters_and_deletion(server: Server, hub: HubServer, model: Path) -> None:
    model_id, _ = add(hub, model, "noted")
    stored = download(server, model_id)
    noted = server.http.patch(f"{BASE}/{model_id}", json={"title": "우리 모델", "labels": ["small", "ko"]})
    assert noted.status_code == 200, noted.text
    assert (noted.json()["title"], noted.json()["labels"]) == ("우리 모델", ["small", "ko"])
    found = server.http.get(BASE, params={"tag": "ko", "architecture": "qwen3", "fits": "lora"}).json()["items"]
    assert [item["model_id"] for item in found] == [model_id]
    assert server.http.get(BASE, params={"search": "우리"}).json()["total"] == 1
    assert server.http.patch(f"{BASE}/{model_id}", json={"labels": ["not a label"]}).status_code == 422
    assert server.http.delete(f"{BASE}/tunesmith/tiny").json()["code"] == "model-kept"
    assert server.http.patch(f"{BASE}/tunesmith/tiny", json={"title": "x"}).json()["code"] == "model-kept"
    gone = server.http.delete(f"{BASE}/{model_id}")
    assert gone.status_code == 200, gone.text
    assert gone.json()["freed_bytes"] > 1_000_000
    assert not Path(stored["path"]).exists()
    assert server.http.get(BASE, params={"search": "noted"}).json()["total"] == 0
    assert server.http.delete(f"{BASE}/{model_id}").status_code == 404


async def test_without_a_network(data_dir: Path, tmp_path: Path) -> None:
    settings = load_settings(
        data_dir=data_dir,
        device="cpu",
        models={"hub_endpoint": "http://127.0.0.1:9", "hub_offline": False, "hf_home": tmp_path},
    )
    async with client_of(create_app(settings)) as http:
        for answer in (
            await http.get("/model/info/acme/any"),
            await http.get(BASE, params={"source": "hub"}),
            await http.post(f"{BASE}/download", json={"model_id": "acme/any"}),
            await http.post("/model/download", json={"model_id": "acme/any"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "hub-unreachable"), answer.text
        assert (await http.get("/model/info/tunesmith/tiny")).json()["source"] == "local"
        assert (await http.post(f"{BASE}/download", json={"model_id": "tunesmith/tiny"})).json()["cached"] is True


async def test_a_full_disk_is_seen_before(data_dir: Path, tmp_path: Path, hub: HubServer, model: Path) -> None:
    model_id, _ = add(hub, model, "large")
    models = {"hub_endpoint": hub.url, "hub_offline": False, "hf_home": tmp_path, "min_free_disk_bytes": 2**60}
    async with client_of(create_app(load_settings(data_dir=data_dir, device="cpu", models=models))) as http:
        answer = await http.post(f"{BASE}/download", json={"model_id": model_id})
        assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
        assert (await http.get(f"/model/info/{model_id}")).json()["fits_on_disk"] is False


def test_the_workbench_fetches_and_loads(server: Server, hub: HubServer, model: Path) -> None:
    model_id, repo = add(hub, model, "bench")
    answer = server.http.post("/model/download", params={"wait": 60}, json={"model_id": model_id}, timeout=90)
    assert answer.status_code in (200, 202), answer.text
    if answer.status_code == 202:
        assert set(answer.json()) == {"job_id", "status", "links"}
        server.wait_for_job(answer.json()["job_id"])

    def current() -> Any:
        found = server.http.get("/model/current")
        return found.json() if found.status_code == 200 and found.json()["loaded_at"] else None

    loaded = wait_until("the model to be loaded", current, 120)
    assert (loaded["model_id"], loaded["revision"]) == (model_id, repo.sha)
    assert server.http.delete(f"{BASE}/{model_id}").json()["code"] == "model-in-use"
    again = server.http.post("/model/download", params={"wait": 60}, json={"model_id": model_id}).json()
    assert again["cached"] is True
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(model, "any")
    form = {"file": ("내 모델.tar.gz", packed.getvalue())}
    sent = server.http.post("/model/upload", params={"wait": 60}, files=form, data={"name": "sent"}, timeout=90)
    assert sent.status_code in (200, 202), sent.text
    wait_until("the archive to be loaded", lambda: (current() or {}).get("model_id") == "sent", 120)
    assert (server.data_dir / "models" / "sent" / "model.safetensors").is_file()
    assert not list((server.data_dir / "models" / ".incoming").glob("upload-*"))
    freed = server.http.post("/model/unload").json()
    assert (freed["unloaded"], freed["freed_bytes"] > 0) == (True, True)


def push(server: Server, **body: Any) -> Any:
    body = {"model": "tunesmith/tiny", "access_token": "hf_writer"} | body
    return server.http.post("/api/v1/admin/models/push", params={"wait": 0}, json=body)


def test_a_push_is_one_commit_and_sends_nothing_twice(server: Server, hub: HubServer) -> None:
    hub.fail_uploads, hub.fail_commits = 1, 1
    started = push(server, repo_id="team/bot", message="First")
    assert started.status_code == 202, started.text
    job = server.wait_for_job(started.json()["job_id"])
    assert job["state"] == "succeeded", job["error"]
    result, repo = job["result"], hub.repos["team/bot"]
    assert (result["repo_id"], result["commit"], result["url"]) == ("team/bot", repo.sha, f"{hub.url}/team/bot")
    assert repo.private is True
    assert [commit["summary"] for commit in repo.commits] == ["First"]
    bundled = Path(tunesmith.__file__).parent / "bundle" / "model"
    assert repo.files["model.safetensors"] == (bundled / "model.safetensors").read_bytes()
    assert "README.md" in repo.files
    sent = len(hub.asked("PUT", "storage/put"))
    again = server.wait_for_job(push(server, repo_id="team/bot", message="Second").json()["job_id"])
    assert again["state"] == "succeeded"
    assert len(hub.asked("PUT", "storage/put")) == sent, "the hub had the large files"
    assert "hf_writer" not in server.log()


def test_a_push_that_may_not_be(server: Server, hub: HubServer, tmp_path: Path) -> None:
    for body, status, code in (
        ({"repo_id": "team/x", "access_token": None}, 401, "hub-token-needed"),
        ({"repo_id": "team/x", "model": "run:99999"}, 404, "job-not-found"),
        ({"repo_id": "../x"}, 422, "validation"),
        ({"repo_id": "team/x", "export_id": 1}, 422, "validation"),
    ):
        answer = push(server, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    denied = server.wait_for_job(push(server, repo_id="team/y", access_token="hf_reader").json()["job_id"])
    assert (denied["state"], denied["error"]["code"]) == ("failed", "hub-access-denied")
    assert "team/y" not in hub.repos
