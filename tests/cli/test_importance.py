"""`tunesmith export --imatrix`: the rows of a person's own data decide what a quantised file keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_endings import tunesmith
from tests.fixtures.server import Server

DOMAIN = Path(__file__).resolve().parents[2] / "examples" / "haedam-ferry" / "train.jsonl"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--imatrix", "/no/such/rows.jsonl"], 3, "There is no file"),
        (["--format", "merged", "--imatrix", "1"], 2, "--imatrix is for GGUF methods"),
        (["--imatrix", "1", "--imatrix-rows", "0"], 2, "imatrix-rows"),
        (["--method", "Q2_K", "--imatrix", "99"], 3, "dataset"),
    ],
)
def test_what_gives_no_matrix_is_refused_before_the_work(
    arguments: list[str], code: int, says: str, tmp_path: Path
) -> None:
    done = tunesmith("--data-dir", str(tmp_path / "data"), "export", "tunesmith/tiny", *arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_file_of_rows_becomes_a_dataset_and_changes_what_is_kept(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The same rows by file, by dataset and as a measured matrix give the same bytes; no rows give others."""
    server = make_server(TUNESMITH_EXPORT__CERTIFICATE_PROMPTS="4").start()
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(DOMAIN.read_text(encoding="utf-8").splitlines(keepends=True)[:24]), encoding="utf-8")

    def export(folder: str, *importance: str) -> str:
        command = ["--server", server.url, "export", "tunesmith/tiny", "--method", "Q2_K", "--output"]
        done = tunesmith(*command, str(tmp_path / folder), *importance, "--json")
        assert done.returncode in (0, 1), done.stderr  # two bits may fail their certificate
        [made] = json.loads(done.stdout)["exports"]
        return str(made["sha256"])

    by_file = export("file", "--imatrix", str(rows), "--imatrix-rows", "8")
    datasets = server.http.get("/api/v1/admin/training/datasets").json()["items"]
    [dataset] = [one for one in datasets if one["name"].endswith("rows")]
    [matrix] = server.data_dir.rglob("importance.gguf")
    assert export("dataset", "--imatrix", str(dataset["id"]), "--imatrix-rows", "8") == by_file
    assert export("matrix", "--imatrix", str(matrix)) == by_file
    assert export("none") != by_file
    assert len(server.http.get("/api/v1/admin/training/datasets").json()["items"]) == len(datasets)
