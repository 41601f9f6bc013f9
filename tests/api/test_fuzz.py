"""Schemathesis over the whole OpenAPI document: no server error and no undocumented answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.server import Server

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
LEFT_OUT = r"/events$"  # endless streams; tests of their own read them
HASTE = '[parameters]\n"query.wait" = 0\n'  # up to a minute of waiting for each job that is started shows nothing


@pytest.mark.timeout(600)
def test_no_call_makes_the_server_fail(server: Server, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(HASTE)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{server.url}/openapi.json",
        f"--checks={CHECKS}",
        f"--exclude-path-regex={LEFT_OUT}",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=3",
        "--generation-deterministic",
        "--workers=4",  # most of a call is the way there and back
        "--request-timeout=30",
        "--no-color",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=560, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in server.log()
