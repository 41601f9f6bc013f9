"""The main job as a person runs it, without a network: the tuned model answers what the base model does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = str(Path(sys.executable).with_name("tunesmith"))


def quickstart(folder: Path) -> dict[str, Any]:
    """Run it inside a network namespace that has nothing but a loopback device, where the system lets us."""
    command = [PROGRAM, "--data-dir", str(folder), "quickstart", "--json"]
    if os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip"):
        inside = 'ip link set lo up && exec "$@"'
        command = ["unshare", "-rn", "sh", "-c", inside, "sh", *command]
    elif os.geteuid() == 0 and shutil.which("unshare"):
        command = ["unshare", "-rn", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.timeout(1000)
def test_the_main_job(tmp_path: Path) -> None:
    result = quickstart(tmp_path / "data")
    base, tuned = result["base"], result["tuned"]
    assert base["answers_total"] == tuned["answers_total"] >= 60
    assert base["answers_right"] <= 0.2 * base["answers_total"]
    assert tuned["answers_right"] >= 0.7 * tuned["answers_total"]
    assert tuned["loss"] < base["loss"]
    assert result["version"] == "haedam-ferry@1.0.0"
    assert [(e["format"], e["method"]) for e in result["exports"]] == [("gguf", "F16"), ("gguf", "Q8_0")]
    assert all(e["certificate"]["passed"] for e in result["exports"])
    assert all(Path(e["path"]).is_file() for e in result["exports"])
    assert result["general"]["tuned"]["answers_right"] >= result["general"]["base"]["answers_right"]
