"""The nine GGUF calls of the workbench in one scripted run, on a model that the server can read.

`test_tour_gguf.py` runs it on a tiny one; by hand, on the bundled model of any server: `python -m tests.e2e.tour_gguf http://127.0.0.1:8000`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import httpx

BORDERS = (
    (60, "Q2_K"), (50, "Q2_K"), (49.9, "Q3_K"), (30, "Q3_K"), (15, "Q4_0"), (14, "Q4_K"), (8, "Q4_K"), (4, "Q5_K"),
    (1, "Q6_K"), (0.5, "Q8_0"),
)  # fmt: skip


def settled(http: httpx.Client, answer: httpx.Response, deadline_seconds: float = 300) -> dict[str, Any]:
    """The result of a call that may have become a job."""
    assert answer.status_code in (200, 202), answer.text
    if answer.status_code == 200:
        return dict(answer.json())
    path, end = f"/api/v1/admin/jobs/{answer.json()['job_id']}", time.monotonic() + deadline_seconds
    while time.monotonic() < end:
        job = http.get(path, params={"wait": 5}).json()
        if job["state"] in ("succeeded", "failed", "cancelled"):
            assert job["state"] == "succeeded", job["error"]
            return dict(job["result"])
    raise AssertionError(f"job {path} did not end")


def drive(http: httpx.Client, model: str, methods: list[str]) -> dict[str, Any]:
    """Call all nine; answers what each said."""
    said: dict[str, Any] = {"health": http.get("/gguf/health").json(), "methods": http.get("/gguf/methods").json()}
    said["recommended"] = {
        size: http.get("/gguf/methods/recommended", params={"model_size_gb": size}).json() for size, _ in BORDERS
    }
    body = {"model": model, "methods": methods, "output_name": "안내 guide"}
    said["convert"] = settled(http, http.post("/gguf/convert", json=body))
    path = said["convert"]["exports"][0]["path"]
    said["validate"] = settled(http, http.post("/gguf/validate", json={"file_path": path, "prompt": "안녕하세요"}))
    relative = "/".join(Path(path).parts[-3:])
    said["validate_by_path"] = settled(http, http.get(f"/gguf/validate/{relative}"))
    said["history"] = http.get("/gguf/history").json()
    said["statistics"] = http.get("/gguf/statistics").json()
    said["clear"] = http.post("/gguf/history/clear").json()
    said["history_after"] = http.get("/gguf/history").json()
    return said


if __name__ == "__main__":
    with httpx.Client(base_url=sys.argv[1], timeout=120) as client:
        for call, answer in drive(client, "tunesmith/tiny", ["Q4_K_M", "Q8_0"]).items():
            print(call, str(answer)[:400])
