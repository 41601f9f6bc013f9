"""The seven calls of `/model` in one scripted run, against a hub of this machine. By hand:

    python -m tests.e2e.tour_models

starts a hub and a server, makes every call, and prints how long each took.
"""

from __future__ import annotations

import io
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.hub_server import HubServer
from tests.fixtures.server import Server, wait_until
from tests.fixtures.tiny_models import write_tiny_model

METADATA = {
    "model_id", "architecture", "num_parameters", "trainable_parameters", "dtype", "context_length", "vocab_size",
    "chat_template", "device", "estimated_memory_gb", "size_bytes", "revision", "loaded_at",
}  # fmt: skip


class Tour:
    """Makes the calls and notes how long each took."""

    def __init__(self, http: httpx.Client, hub: HubServer, model: Path) -> None:
        self.http = http
        self.hub = hub
        self.model = model
        self.seconds: dict[str, float] = {}

    def call(self, method: str, path: str, pattern: str = "", **given: Any) -> httpx.Response:
        """One call."""
        started = time.monotonic()
        answer = self.http.request(method, path, timeout=120, **given)
        self.seconds[f"{method} {pattern or path}"] = time.monotonic() - started
        return answer

    def drive(self) -> dict[str, float]:
        """All seven; answers seconds by call."""
        self.hub.add("acme/tour", self.model)
        none = self.call("POST", "/model/unload")
        assert none.json()["unloaded"] is False, none.text
        assert self.call("GET", "/model/current").status_code == 404
        info = self.call("GET", "/model/info/acme/tour", "/model/info/{model_id}").json()
        assert (info["architecture"], info["license"]) == ("Qwen3ForCausalLM", "apache-2.0"), info
        assert info["fits_here"]["inference"]["fits"] is True
        self.call("POST", "/model/download", json={"model_id": "acme/tour"}, params={"wait": 60})
        self.loaded("acme/tour")
        again = self.call("POST", "/model/download", json={"model_id": "acme/tour"}, params={"wait": 60}).json()
        assert again["cached"] is True, again
        assert set(again) >= METADATA
        health = self.call("GET", "/model/health").json()
        assert health["status"] == "ready", health
        assert set(health["memory"]) == {"total_gb", "available_gb", "used_gb"}
        self.upload()
        local = [item["model_id"] for item in self.call("GET", "/model/local-models").json()["items"]]
        assert {"acme/tour", "tunesmith/tiny", "sent"} <= set(local), local
        freed = self.call("POST", "/model/unload").json()
        assert freed["unloaded"] is True, freed
        assert freed["freed_bytes"] > 0
        assert self.call("GET", "/model/current").status_code == 404
        return self.seconds

    def upload(self) -> None:
        """A folder by its path, an archive, and weights that are refused."""
        by_path = self.call("POST", "/model/upload", params={"model_path": "tunesmith/tiny", "wait": 60})
        assert by_path.status_code in (200, 202), by_path.text
        self.loaded("tunesmith/tiny")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(self.model, "model")
        sent = self.call("POST", "/model/upload", files={"file": ("sent.tar", packed.getvalue())}, params={"wait": 60})
        assert sent.status_code in (200, 202), sent.text
        self.loaded("sent")
        refused = self.call("POST", "/model/upload", files={"file": ("pytorch_model.bin", b"x")})
        assert refused.status_code == 422, refused.text
        assert "convert" in refused.json()["hint"]

    def loaded(self, model_id: str) -> None:
        """Wait until that model is the current one."""

        def is_current() -> bool:
            answer = self.call("GET", "/model/current")
            found = answer.json()
            return answer.status_code == 200 and found["model_id"] == model_id and found["loaded_at"] is not None

        wait_until(f"{model_id} to be loaded", is_current, 180)


def settings_for(hub: HubServer, folder: Path) -> dict[str, str]:
    """Settings of a server that talks to that hub."""
    return {
        "TUNESMITH_MODELS__HUB_ENDPOINT": hub.url,
        "TUNESMITH_MODELS__HUB_OFFLINE": "0",
        "TUNESMITH_MODELS__HF_HOME": str(folder / "hf"),
        "TUNESMITH_MODELS__MIN_FREE_DISK_BYTES": "1000",
    }


def main(make: Callable[..., Server] = Server) -> None:
    """Run by hand."""
    hub = HubServer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        server = make(folder / "data", **settings_for(hub, folder)).start()
        try:
            taken = Tour(server.http, hub, write_tiny_model(folder / "model")).drive()
        finally:
            server.close()
            hub.close()
    for call, seconds in taken.items():
        sys.stdout.write(f"{seconds * 1000:9.1f} ms  {call}\n")


if __name__ == "__main__":
    main()
