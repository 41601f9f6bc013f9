"""Rows that mean the same: compared by a real model in a child, shown by row, refused where nothing can compare."""

from __future__ import annotations

import json

import pytest

from tests.fixtures.server import Server
from tunesmith.cli.main import main

PATH = "/api/v1/admin/training/datasets"
SAME = ("배는 몇 시에 떠나요?", "정오에 떠납니다. 문의: 010-1234-5678")
ROWS = [
    SAME,
    ("Where can I buy a ticket?", "At counter three, next to the harbour office."),
    SAME,
    ("고양이를 데려가도 되나요?", "이동장에 넣으면 됩니다."),
    SAME,
]


@pytest.fixture(scope="module")
def dataset(server: Server) -> int:
    """Five rows, of which three say the same."""
    raw = "".join(json.dumps({"prompt": p, "completion": c}, ensure_ascii=False) + "\n" for p, c in ROWS)
    made = server.http.post(PATH, data={"name": "뜻"}, files={"file": ("뜻.jsonl", raw.encode())})
    return int(made.json()["id"])


def test_rows_that_mean_the_same_are_one_cluster(server: Server, dataset: int) -> None:
    asked = {"model": "tunesmith/tiny", "similarity_threshold": 0.999}
    started = server.http.post(f"{PATH}/{dataset}/duplicates/semantic", json=asked, params={"wait": 60})
    assert started.status_code == 200, started.text
    answer = started.json()
    assert (answer["rows"], answer["clusters_total"], answer["rows_in_clusters"]) == (5, 1, 3)
    (cluster,) = answer["clusters"]
    assert [m["row"] for m in (cluster["representative"], *cluster["members"])] == [1, 3, 5]
    assert all(m["similarity"] > 0.999 for m in cluster["members"])
    assert "010-1234-5678" not in json.dumps(answer)
    assert "정오에" in cluster["representative"]["excerpt"]


def test_on_the_command_line(server: Server, dataset: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["datasets", "duplicates", str(dataset), "--meaning-by", "tunesmith/tiny", "--threshold", "0.999",
              "--server", server.url])  # fmt: skip
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    assert "1 cluster" in said.out
    assert "[3, 5]" in said.out


@pytest.mark.parametrize(
    ("asked", "status"), [({"model": "nobody/nothing"}, 404), ({}, 422), ({"model": "tunesmith/tiny", "x": 1}, 422)]
)
def test_what_cannot_compare_is_refused_before_any_work(
    server: Server, dataset: int, asked: dict[str, object], status: int
) -> None:
    answer = server.http.post(f"{PATH}/{dataset}/duplicates/semantic", json=asked)
    assert answer.status_code == status, answer.text
