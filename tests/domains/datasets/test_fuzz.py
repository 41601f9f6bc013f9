"""Files that nobody should send: each ends in rows and findings, or in a refusal by name; never in a fault of ours."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from pathlib import Path

import httpx
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domains.datasets.conftest import PATH, Upload, Work
from tests.domains.datasets.test_layouts import as_parquet, jsonl, table, zipped
from tests.domains.datasets.test_upload import stored_files
from tunesmith.domains.datasets.doctor import examine_file
from tunesmith.domains.datasets.readers import open_file
from tunesmith.kit.errors import TunesmithError
from tunesmith.settings import Settings

ROWS = jsonl().encode() * 4
ARRAY = json.dumps([json.loads(line) for line in ROWS.splitlines()], ensure_ascii=False, indent=1).encode()
GOOD = {
    "a.jsonl": ROWS,
    "a.json": ARRAY,
    "a.csv": table().encode() * 3,
    "b.csv": (table() * 3).encode("cp949"),
    "c.csv": (table() * 3).encode("utf-16"),
    "a.tsv": (table("\t") * 3).encode("utf-16-be"),
    "a.jsonl.gz": gzip.compress(ROWS),
    "a.csv.zst": zstandard.ZstdCompressor(write_checksum=True).compress(table().encode()),
    "a.zip": zipped(("a.jsonl", ROWS)),
    "a.parquet": as_parquet([json.loads(line) for line in ROWS.splitlines()]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def ends_well(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    refusal = None
    try:
        report = examine_file(path)
    except TunesmithError as error:
        refusal = error
    else:
        assert report.rows >= 0
        assert all(finding.fix for finding in report.findings)
    assert refusal is None or (refusal.status in (400, 422) and refusal.hint and refusal.message), (name, refusal)
    assert [left.name for left in folder.iterdir()] == [name]
    path.unlink()


@given(name=st.sampled_from(sorted(GOOD)), content=st.binary(max_size=400), keeps_head=st.integers(0, 12))
@settings(max_examples=300, deadline=None)
def test_random_bytes(folder: Path, name: str, content: bytes, keeps_head: int) -> None:
    ends_well(folder, name, GOOD[name][:keeps_head] + content)


@given(
    name=st.sampled_from(sorted(GOOD)),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
    doubled=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_good_files_that_were_damaged(
    folder: Path, name: str, cut: float, flips: list[tuple[float, int]], doubled: bool
) -> None:
    content = bytearray(GOOD[name])
    for place, value in flips:
        content[int(place * len(content))] = value
    ends_well(folder, name, bytes(content[: int(cut * len(content))]) * (1 + doubled))


@given(
    texts=st.lists(st.text(max_size=20), max_size=8),
    encodings=st.lists(
        st.sampled_from(["utf-8", "cp949", "utf-16-le", "utf-16-be", "shift_jis", "latin-1"]), min_size=1
    ),
    name=st.sampled_from(["a.csv", "a.jsonl", "a.tsv", "a.json"]),
)
@settings(max_examples=200, deadline=None)
def test_mixed_encodings(folder: Path, texts: list[str], encodings: list[str], name: str) -> None:
    lines = [f'{{"질문": "{text}"}}\n' if "json" in name else f"{text},질문\n" for text in texts]
    parts = [line.encode(encodings[at % len(encodings)], errors="replace") for at, line in enumerate(lines)]
    ends_well(folder, name, b"".join(parts))


DEEP = 100_000
NASTY: dict[str, tuple[str, bytes]] = {
    "nested arrays": ("a.jsonl", b'{"text": ' + b"[" * DEEP + b"]" * DEEP + b"}\n" + ROWS),
    "nested objects": ("a.jsonl", b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n" + ROWS),
    "open brackets": ("a.json", b"[" * DEEP),
    "nested, not too deep for Python": ("a.jsonl", b'{"text": "t", "x": ' + b"[" * 900 + b"]" * 900 + b"}\n" + ROWS),
    "nested in a cell": ("a.csv", b'messages\n"' + b"[" * DEEP + b'"\n'),
    "NULs in the middle": ("a.jsonl", ROWS + b"\x00" * 5000 + b"\n" + ROWS),
    "NULs after a mebibyte": ("a.jsonl", b" " * (1 << 20) + ROWS + b'{"question": "\x00", "answer": "a"}\n'),
    "half a UTF-16 character": ("a.jsonl", ROWS.decode().encode("utf-16")[:-1]),
    "a lone surrogate": (
        "a.jsonl",
        '{"question": "?", "answer": "!"}\n'.encode("utf-16") + b"\x00\xd8\n\x00" + b"{\x00",
    ),
    "many columns": ("a.csv", (",".join(f"c{n}" for n in range(20_000)) + "\n").encode()),
    "many quotes": ("a.csv", b"question,answer\n" + b'"' * 200_001 + b"\n" + b'a,"b\n' * 2000),
    "only quotes": ("a.tsv", b'"\n' * 5000),
    "carriage returns": ("a.csv", b"question,answer\r" * 100),
    "a bomb of lines": ("a.jsonl.gz", gzip.compress(b"\n" * (80 << 20))),
    "a bomb of a line": ("a.csv.zst", zstandard.ZstdCompressor().compress(b"question,answer\na," + b"b" * (80 << 20))),
    "a bomb in an archive": ("a.zip", zipped(("a.jsonl", b'{"text": "' + b"a" * (80 << 20)))),
    "a number too long": ("a.jsonl", b'{"text": "a", "n": ' + b"9" * 5000 + b"}\n" + ROWS),
    "a key too long": ("a.jsonl", b'{"' + b"k" * 100_000 + b'": 1, "text": "a"}\n'),
}


@pytest.mark.parametrize("what", NASTY)
async def test_nasty_files_end_well_and_leave_nothing(
    upload: Upload, work: Work, client: httpx.AsyncClient, settings: Settings, what: str
) -> None:
    answer = await upload(*NASTY[what])
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["hint"]
        assert stored_files(settings) == []
        return
    await work()
    ready = (await client.get(f"{PATH}/{answer.json()['id']}")).json()
    assert ready["status"] in ("ready", "invalid"), ready
    job = (await client.get(f"/api/v1/admin/jobs/{ready['job_id']}")).json()
    assert job["state"] == "succeeded", job
    for path in ("preview", "findings"):
        assert (await client.get(f"{PATH}/{ready['id']}/{path}")).status_code == 200
    assert not [path for path in stored_files(settings) if ".incoming" in path.parts]


async def test_damaged_uploads_are_never_a_fault_of_the_server(
    upload: Upload, work: Work, client: httpx.AsyncClient, settings: Settings
) -> None:
    dice = random.Random(7)
    for number in range(80):
        name = dice.choice(sorted(GOOD))
        content = bytearray(GOOD[name][: dice.randrange(len(GOOD[name]) + 1)])
        for _ in range(dice.randrange(4)):
            if content:
                content[dice.randrange(len(content))] = dice.randrange(256)
        answer = await upload(name, bytes(content), name=f"fuzz {number}")
        assert answer.status_code in (201, 400, 422), (name, answer.text)
    await work()
    listed = (await client.get(PATH, params={"page_size": 200})).json()["items"]
    assert listed
    assert {item["status"] for item in listed} <= {"ready", "invalid"}
    blobs = {item["sha256"] for item in listed}
    kept = [path for path in stored_files(settings) if "blobs" in path.parts]
    plain = [item for item in listed if not item["file_name"].endswith((".jsonl", ".json"))]
    assert len(kept) <= len(blobs) + len(plain)


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": "', b'"}\n{"text": "c"}\n'),
        ("a.json", b'[{"text": "a"},\n{"text": "', b'"},\n{"text": "c"}]'),
        ("a.csv", b'text\na\n"', b'"\nc\n'),
    ],
)
def test_a_line_of_a_gibibyte_costs_one_row_and_little_memory(
    tmp_path: Path, name: str, begin: bytes, end: bytes
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(begin + b"x" * (2 << 20))
        file.seek(1 << 30)  # a hole in the file: nothing is written
        file.write(end)
    tracemalloc.start()
    try:
        with open_file(path, path.name, 4 << 20) as (data, _):
            found = [(record.row, record.fault and record.fault.code) for record in data.records()]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [(1, None), (2, "row-too-large"), (3, None)]
    assert peak < 64 << 20
