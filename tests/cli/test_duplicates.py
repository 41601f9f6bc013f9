"""`tunesmith datasets duplicates`, `leakage` and `split`, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Server
from tunesmith.cli.main import main


def test_duplicates_leaks_and_splits_on_the_command_line(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def tunesmith(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--server", server.url, "datasets", *arguments])
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said.out

    def answer(*arguments: str, code: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(tunesmith(*arguments, "--json", code=code))
        return document

    rows = [{"prompt": f"Question {n}?", "completion": f"Answer {n}, on pier {n}."} for n in range(30)]
    rows.append({"prompt": "Question 3", "completion": "answer 3 on pier 3"})
    for name, part in (("a", rows), ("exam", rows[:2])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
        tunesmith("add", str(tmp_path / f"{name}.jsonl"))
    assert "[31]" in tunesmith("duplicates", "1")
    assert "2 rows leak" in tunesmith("leakage", "1", "--against", "2", code=1)
    split = answer("split", "1", "--train", "0.8", "--validation", "0.2", "--similarity-threshold", "0.9")
    assert split["groups"] == 30
    parts = [part["dataset_id"] for part in split["parts"]]
    leaks = answer("leakage", str(parts[0]))
    assert (leaks["rows_leaking"], leaks["against"][0]["dataset_id"]) == (0, parts[1])
