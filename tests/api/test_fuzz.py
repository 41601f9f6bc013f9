"""Schemathesis over the whole OpenAPI document: no server error and no undocumented answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.hub_server import HubServer
from tests.fixtures.server import Server

pytestmark = pytest.mark.early

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
LEFT_OUT = r"/events$"  # endless streams; tests of their own read them
HASTE = '[parameters]\n"query.wait" = 0\n'  # up to a minute of waiting for each job that is started shows nothing


SHARES = (
    r"^/api/v1/admin/training/datasets/\{id\}",
    r"^/api/v1/admin/(?!training/datasets/\{id\})",
    r"^/(?!api/v1/admin/)",
)
"""Paths of each of the processes that run side by side: most of a call is the way there and back. Its own threads will not do:
under Python 3.11 the compiler's recursion check fails in them now and then."""


@pytest.fixture(scope="module")
def server(
    make_server: Callable[..., Server], hub: HubServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose Hub is there: without one, 503 is the right answer of many paths, and would hide the others."""
    running = make_server(
        TUNESMITH_MODELS__HUB_ENDPOINT=hub.url,
        TUNESMITH_MODELS__HUB_OFFLINE="0",
        TUNESMITH_MODELS__HF_HOME=str(tmp_path_factory.mktemp("hf")),
    ).start()
    yield running
    running.close()


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "depth",
    [
        pytest.param(["--phases=examples,coverage"], id="every-edge"),
        pytest.param(["--phases=fuzzing", "--max-examples=20"], id="at-random"),
    ],
)
def test_no_call_makes_the_server_fail(server: Server, tmp_path: Path, depth: list[str]) -> None:
    (tmp_path / "schemathesis.toml").write_text(HASTE)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{server.url}/openapi.json",
        f"--checks={CHECKS}",
        f"--exclude-path-regex={LEFT_OUT}",
        *depth,
        "--generation-deterministic",
        "--request-timeout=30",
        "--no-color",
        "--warnings=off",  # they would push the failures out of what is shown
    ]
    reports = [tmp_path / f"share-{number}.txt" for number in range(len(SHARES))]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # it is not ours
    httpx.get(f"{server.url}/openapi.json", timeout=60).raise_for_status()  # the first time it takes seconds
    running = []
    for share, report in zip(SHARES, reports, strict=True):
        with report.open("w") as file:
            asked = [*command, f"--include-path-regex={share}"]
            running.append(subprocess.Popen(asked, stdout=file, stderr=subprocess.STDOUT, cwd=tmp_path, env=plain))
    ended = [process.wait(timeout=1700) for process in running]
    assert ended == [0] * len(SHARES), "\n".join(report.read_text()[-6000:] for report in reports)
    assert "Traceback" not in server.log()
