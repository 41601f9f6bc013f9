"""Whatever a file is packed, encoded or separated with: the same rows, with the lines of the upload."""

from __future__ import annotations

import gzip
import io
import json
import random
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyarrow
import pytest
import zstandard
from pyarrow import parquet

from tests.domains.datasets.conftest import PATH, Upload, Work
from tests.domains.datasets.test_upload import stored_files
from tunesmith.settings import Settings

PAIRS = [
    ("배는 언제 떠나요?", "정오에 떠납니다."),
    ("표는 어디서\n사요?", '매표소에서, "창구 2번"에서 사세요.'),
    ("짐은 몇 개까지?", "두 개까지 가져올 수 있습니다."),
]
LINES = [2, 3, 5]
"""Where the rows begin in a table: the second one goes over two lines."""


def table(delimiter: str = ",", names: tuple[str, str] = ("질문", "답변"), ending: str = "\n") -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\n\t;|') else text

    return "".join(delimiter.join(map(cell, row)) + ending for row in [names, *PAIRS])


def jsonl() -> str:
    return "".join(json.dumps({"question": q, "answer": a}, ensure_ascii=False) + "\n" for q, a in PAIRS)


def zipped(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def as_parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    made = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), made, **options)
    return made.getvalue()


def frames(raw: bytes) -> bytes:
    """Zstandard in two frames and one to be passed over."""
    half = len(raw) // 2
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    return b"".join(
        (compressor.compress(raw[:half]), b"\x50\x2a\x4d\x18\x02\x00\x00\x00ab", compressor.compress(raw[half:]))
    )


Case = tuple[str, bytes, tuple[str, str, str], list[int] | None]
CASES: list[Case] = [
    ("a.csv", table().encode("cp949"), ("csv", "none", "cp949"), LINES),
    ("a.csv", table().encode("utf-8-sig"), ("csv", "none", "utf-8-sig"), LINES),
    ("a.csv", table().encode("utf-16"), ("csv", "none", "utf-16-le"), LINES),
    ("a.csv", table(ending="\r\n").encode("utf-16-be"), ("csv", "none", "utf-16-be"), LINES),
    ("a.tsv", table("\t").encode(), ("tsv", "none", "utf-8"), LINES),
    ("a.csv", table("\t").encode("utf-16-le"), ("csv", "none", "utf-16-le"), LINES),
    ("a.csv", table(";").encode(), ("csv", "none", "utf-8"), LINES),
    ("a.csv", table("|").encode("cp949"), ("csv", "none", "cp949"), LINES),
    ("a.jsonl", jsonl().encode("utf-16"), ("jsonl", "none", "utf-16-le"), [1, 2, 3]),
    ("a.jsonl.gz", gzip.compress(jsonl().encode()), ("jsonl", "gzip", "utf-8"), [1, 2, 3]),
    ("a.csv.gz", gzip.compress(table().encode("cp949")), ("csv", "gzip", "cp949"), LINES),
    ("a.jsonl.zst", frames(jsonl().encode()), ("jsonl", "zstd", "utf-8"), [1, 2, 3]),
    (
        "질문.zip",
        zipped(("자료/질문.csv", table().encode("cp949")), ("__MACOSX/._a", b"x")),
        ("csv", "zip", "cp949"),
        LINES,
    ),
    ("a.csv.zip", zipped(("a.csv", table().encode())), ("csv", "zip", "utf-8"), LINES),
    (
        "a.parquet",
        as_parquet([{"question": q, "answer": a} for q, a in PAIRS], row_group_size=2, compression="zstd"),
        ("parquet", "none", "utf-8"),
        None,
    ),
]


@pytest.mark.parametrize(("name", "content", "layout", "lines"), CASES, ids=[f"{c[0]}-{c[2][2]}" for c in CASES])
async def test_the_same_rows_from_every_layout(
    upload: Upload,
    work: Work,
    client: httpx.AsyncClient,
    name: str,
    content: bytes,
    layout: tuple[str, str, str],
    lines: list[int] | None,
) -> None:
    answer = await upload(name, content)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["file_kind"], made["packing"], made["encoding"]) == layout
    assert made["format"] == "qa"
    is_mapped = "질문" in str(made["column_mapping"])
    assert is_mapped == ("csv" in name or "zip" in name or "tsv" in name)
    expected = [{"question": q, "answer": a} for q, a in PAIRS]
    early = (await client.get(f"{PATH}/{made['id']}/preview")).json()
    await work()
    ready = (await client.get(f"{PATH}/{made['id']}")).json()
    assert (ready["status"], ready["rows"]) == ("ready", 3), ready["findings_counts"]
    assert set(ready["findings_counts"]["by_code"]) <= {"mapped-columns", "encoding-bom"}
    late = (await client.get(f"{PATH}/{made['id']}/preview")).json()
    assert early["rows"] == [row | {"score": None} for row in late["rows"]]
    assert [row["data"] for row in late["rows"]] == expected
    assert [row["line"] for row in late["rows"]] == (lines or [None] * 3)


async def test_a_fault_keeps_the_line_of_the_packed_file_and_names_its_column(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    text = table() + '"마지막 질문?",\n'
    made = (await upload("a.csv.gz", gzip.compress(text.encode("cp949")))).json()
    await work()
    [finding] = (await client.get(f"{PATH}/{made['id']}/findings", params={"severity": "red"})).json()["items"]
    assert (finding["code"], finding["row"], finding["line"], finding["pointer"]) == ("empty-turn", 4, 6, "/answer")
    assert "`답변`" in finding["message"]
    [mapped] = (await client.get(f"{PATH}/{made['id']}/findings", params={"code": "mapped-columns"})).json()["items"]
    assert "`질문` → `question`" in mapped["message"]


async def test_a_byte_that_no_encoding_has_is_found_in_its_row(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    lines = [f"질문 {n}번,답변 {n}번".encode("cp949") for n in range(20)]
    lines[7] = lines[7] + b"\xff\xff"
    made = (await upload("a.csv", "질문,답변\n".encode("cp949") + b"\n".join(lines))).json()
    assert made["encoding"] == "cp949"
    await work()
    [finding] = (await client.get(f"{PATH}/{made['id']}/findings", params={"severity": "red"})).json()["items"]
    assert (finding["code"], finding["row"], finding["line"]) == ("invalid-encoding", 8, 9)


def many_rows(count: int) -> bytes:
    """Rows that hardly pack."""
    return "".join(
        json.dumps(
            {"question": f"질문 {n}", "answer": "답 " + random.Random(n).randbytes(60).hex()}, ensure_ascii=False
        )
        + "\n"
        for n in range(count)
    ).encode()


def cut_gzip(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)[:-20_000]


def cut_zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(raw)[:-20_000]


@pytest.mark.parametrize(("name", "cut"), [("a.jsonl.gz", cut_gzip), ("a.jsonl.zst", cut_zstd)])
async def test_a_file_that_was_cut_off_keeps_its_rows_and_says_where_it_ends(
    upload: Upload, work: Work, client: httpx.AsyncClient, name: str, cut: Callable[[bytes], bytes]
) -> None:
    raw = many_rows(1_500)
    made = (await upload(name, cut(raw))).json()
    await work()
    ready = (await client.get(f"{PATH}/{made['id']}")).json()
    assert ready["status"] == "invalid"
    assert 700 < ready["rows"] < 1_500
    assert ready["findings_counts"]["by_code"]["unpacking-stopped"] == 1
    again = await client.post(f"{PATH}/{made['id']}/validate", params={"wait": 0})
    await work()
    assert (await client.get(f"{PATH}/{made['id']}")).json()["findings_counts"] == ready["findings_counts"], again


def linked() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("a.jsonl")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def encrypted() -> bytes:
    raw = bytearray(zipped(("a.jsonl", b"{}")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + at] |= 1
    return bytes(raw)


def bomb() -> bytes:
    return gzip.compress(b'{"text": "' + b"a" * (96 << 20) + b'"}\n')


REFUSED: list[tuple[str, bytes, int, str]] = [
    ("a.zip", zipped(("../a.jsonl", b"{}")), 400, "file-security"),
    ("a.zip", zipped(("/etc/a.jsonl", b"{}")), 400, "file-security"),
    ("a.zip", zipped(("C:\\a.jsonl", b"{}")), 400, "file-security"),
    ("a.zip", linked(), 400, "file-security"),
    ("a.zip", encrypted(), 422, "packed-file"),
    ("a.zip", zipped(("a.jsonl", b"{}"), ("b.jsonl", b"{}")), 422, "packed-file"),
    ("a.zip", zipped(), 422, "packed-file"),
    ("a.zip", zipped(("a.jsonl", jsonl().encode()))[:-30], 422, "packed-file"),
    ("a.zip", zipped(("a.zip", zipped(("a.jsonl", b"{}")))), 422, "packed-file"),
    ("a.zip", zipped(("a.exe", b"MZ")), 422, "unsupported-format"),
    ("a.zip", zipped(*((f"{n}.jsonl", b"{}") for n in range(1001))), 422, "packed-file"),
    ("a.jsonl.gz", gzip.compress(b""), 422, "empty-dataset"),
    ("a.jsonl.gz", gzip.compress(b"\x00" * 1000), 422, "file-validation"),
    ("a.jsonl.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 50, 422, "packed-file"),
    ("a.parquet.gz", gzip.compress(b"PAR1"), 422, "unsupported-format"),
    ("a.parquet", as_parquet([{"question": "a", "answer": "b"}])[:-20], 422, "file-validation"),
    ("a.parquet", b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1", 422, "file-validation"),
    ("a.parquet", as_parquet([{"x": 1.5}]), 422, "missing-columns"),
]


async def test_what_must_not_be_unpacked_is_refused_and_leaves_nothing(upload: Upload, settings: Settings) -> None:
    for name, content, status, code in REFUSED:
        answer = await upload(name, content)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (name, content[:40], answer.text)
        assert answer.json()["hint"]
        assert stored_files(settings) == [], (name, content[:40])


async def test_a_bomb_is_stopped_before_it_fills_the_disk(
    upload: Upload, work: Work, client: httpx.AsyncClient, settings: Settings
) -> None:
    made = (await upload("a.jsonl.gz", bomb())).json()
    await work()
    ready = (await client.get(f"{PATH}/{made['id']}")).json()
    assert ready["status"] == "invalid"
    assert ready["findings_counts"]["by_code"]["unpacking-stopped"] == 1
    assert sum(path.stat().st_size for path in stored_files(settings)) < 70 << 20


async def test_values_of_parquet_become_json(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    turns = [{"role": "user", "content": "언제?"}, {"role": "assistant", "content": "정오."}]
    rows = [{"messages": turns, "score": float("nan"), "raw": b"ok"}, {"messages": turns, "score": 0.5, "raw": b"\xff"}]
    made = (await upload("a.parquet", as_parquet(rows))).json()
    assert made["format"] == "messages"
    await work()
    shown = (await client.get(f"{PATH}/{made['id']}/preview")).json()["rows"]
    assert [row["data"] for row in shown] == [
        {"messages": turns, "score": None, "raw": "ok"},
        {"messages": turns, "score": 0.5, "raw": "/w=="},
    ]
    items = (await client.get(f"{PATH}/{made['id']}/findings")).json()["items"]
    assert {item["line"] for item in items} == {None}


def test_the_server_starts_without_the_parquet_library(tmp_path: Path) -> None:
    program = "import sys, tunesmith.api.app; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path).returncode == 0
