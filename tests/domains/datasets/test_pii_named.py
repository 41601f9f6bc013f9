"""Names and addresses through Presidio itself, in an environment of its own that has the extra `pii`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
ROWS = [
    {"prompt": "담당자가 누구인가요?", "completion": "홍길동은 서울특별시 강남구 테헤란로 123 에 있습니다."},
    {"prompt": "Who is it?", "completion": "Ask Kim Minsu, or write to a.b@corp.co.kr."},
    {"prompt": "길동무가 있나요?", "completion": "없습니다."},
]


@pytest.fixture(scope="module")
def tunesmith(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment with the extra."""
    environment = tmp_path_factory.mktemp("pii") / "environment"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", str(environment)], check=True)
    wanted = ["--constraints", str(REPOSITORY / "constraints.txt"), f"{REPOSITORY}[pii]"]
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *wanted], check=True
    )
    return environment / "bin" / "tunesmith"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_doctor_finds_names_and_addresses(tunesmith: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    told = {
        "TUNESMITH_DATA_DIR": str(tmp_path / "data"),
        "TUNESMITH_DATASETS__NAMES_MODEL": "blank",
        "TUNESMITH_DATASETS__KNOWN_NAMES": "홍길동, Kim Minsu",
    }
    done = subprocess.run(
        [str(tunesmith), "doctor", str(file), "--json"],
        env=dict(os.environ) | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {(f["code"], f["row"]) for f in json.loads(done.stdout)["findings"] if f["code"].startswith("pii-")}
    assert found == {("pii-person", 1), ("pii-address", 1), ("pii-person", 2), ("pii-email", 2)}
    assert "홍길동" not in done.stdout
