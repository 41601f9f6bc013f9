"""Readers: every record comes back with its row, its line and its offset, whatever the text; broken ones cost one row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.domains.datasets.errors import (
    EmptyDatasetError,
    FileValidationError,
    PackedFileError,
    UnsupportedEncodingError,
    UnsupportedFormatError,
)
from tunesmith.domains.datasets.readers import Position, Record, json_array, open_file
from tunesmith.kit.errors import InvalidInput, TunesmithError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ROWS = st.lists(
    st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=2), max_size=3), min_size=1, max_size=6
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def read(
    folder: Path, name: str, content: bytes, start: Position | None = None, max_row_bytes: int = 1 << 20
) -> list[Record]:
    path = folder / name
    path.write_bytes(content)
    with open_file(path, name, max_row_bytes) as (data, _):
        return list(data.records(start))


def values(records: list[Record]) -> list[Any]:
    assert [r.fault for r in records if r.is_row] == [None] * sum(r.is_row for r in records)
    return [r.value for r in records if r.is_row]


def check_places(folder: Path, name: str, content: bytes, records: list[Record]) -> None:
    """Line numbers are exact, and reading from any record's place gives the same rest."""
    for at, record in enumerate(records):
        assert record.line == content.count(b"\n", 0, record.offset) + 1
        rest = read(folder, name, content, Position(record.row, record.line, record.offset))
        assert rest == records[at:]


@given(
    rows=ROWS,
    bom=st.booleans(),
    blank=st.integers(0, 2),
    ending=st.sampled_from(["\n", "\r\n"]),
    is_ascii=st.booleans(),
)
@settings(max_examples=50)
def test_jsonl_round_trip(folder: Path, rows: list[Any], bom: bool, blank: int, ending: str, is_ascii: bool) -> None:
    lines = (ending * (blank + 1)).join(json.dumps(row, ensure_ascii=is_ascii) for row in rows)
    content = b"\xef\xbb\xbf" * bom + lines.encode()
    records = read(folder, "rows.jsonl", content)
    assert values(records) == rows
    check_places(folder, "rows.jsonl", content, records)


@given(rows=ROWS, indent=st.sampled_from([None, 0, 1, 2]), is_ascii=st.booleans(), chunk=st.integers(1, 50))
@settings(max_examples=50)
def test_json_array_round_trip(folder: Path, rows: list[Any], indent: int | None, is_ascii: bool, chunk: int) -> None:
    content = json.dumps(rows, indent=indent, ensure_ascii=is_ascii).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "CHUNK_BYTES", chunk)  # elements and strings that cross the border between pieces
        records = read(folder, "rows.json", content)
        assert values(records) == rows
        check_places(folder, "rows.json", content, records)


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), min_size=2, max_size=2),
        min_size=1,
        max_size=6,
    ),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=50)
def test_csv_round_trip(folder: Path, rows: list[list[str]], quoting: Any, ending: str) -> None:
    table = io.StringIO()
    writer = csv.writer(table, quoting=quoting, lineterminator=ending)
    writer.writerow(["prompt", "completion"])
    writer.writerows(rows)
    content = table.getvalue().encode()
    records = read(folder, "rows.csv", content)
    assert values(records) == [{"prompt": a, "completion": b} for a, b in rows]
    check_places(folder, "rows.csv", content, records)


@given(content=st.binary(max_size=200), prefix=st.sampled_from([b"", b"[", b'{"a":', b"a,b\n", b'[{"a":"', b'"a\n']))
@settings(max_examples=150)
def test_anything_ends_in_records_or_a_named_refusal(folder: Path, content: bytes, prefix: bytes) -> None:
    for name in ("any.jsonl", "any.json", "any.csv"):
        try:
            records = read(folder, name, prefix + content)
        except InvalidInput:
            continue
        rows = [r.row for r in records if r.is_row]
        assert rows == list(range(1, len(rows) + 1))
        assert [r.line for r in records] == sorted(r.line for r in records)


@pytest.mark.parametrize(
    ("before", "after"),
    [('"b"}', '"b}'), ('"b"}', '"b"'), (': "b"', ': b"'), ('"a": "b', 'a": "b'), ('"b"}, ', '"b"} ')],
    ids=["open", "brace", "opening", "key", "comma"],
)
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_a_broken_element_costs_one_row_where_all_stand_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, chunk: int
) -> None:
    monkeypatch.setattr(json_array, "CHUNK_BYTES", chunk)
    rows = [
        {"a": "1", "m": [{"r": "u"}, {"r": "x},{"}]},
        {"a": "b"},
        {"a": "2", "m": [{"r": "u"}]},
        {"a": "3"},
    ]
    content = json.dumps(rows).replace(before, after, 1)
    records = read(folder, "rows.json", content.encode())
    assert [(r.row, r.fault and r.fault.code) for r in records] == [
        (1, None), (2, "broken-json"), (3, None), (4, None),
    ]  # fmt: skip
    assert values(records[2:]) == rows[2:]


def test_lines_called_json_are_read_though_the_first_is_broken(folder: Path) -> None:
    records = read(folder, "rows.json", b'{"a": "x, "b": 1}\n\n{"a": "y"}\n{"a": "z"}\n')
    assert [(r.line, r.fault and r.fault.code) for r in records if r.is_row] == [
        (1, "broken-json"),
        (3, None),
        (4, None),
    ]
    with pytest.raises(InvalidInput, match="must hold an array"):
        read(folder, "rows.json", b'{"data": [\n{"a": 1}\n]}')


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b'prompt, completion\n"a, b", "c, ""d"""\n"e", "f"\n', [("a, b", 'c, "d"'), ("e", "f")]),
        (b"sep=;\r\nprompt;completion\r\na, b;c, d\r\n", [("a, b", "c, d")]),
        (b"\xef\xbb\xbfsep=|\nprompt|completion\n\na|b\n", [("a", "b")]),
        (b'prompt,completion\na, "b"\n"c, ""d"""," e"\n', [("a", "b"), ('c, "d"', " e")]),
        (
            b'prompt,completion\n"he said, ""no""", yes\n"c, ""d"""," e"\n',
            [('he said, "no"', " yes"), ('c, "d"', " e")],
        ),
    ],
    ids=["blanks", "sep", "sep-bom", "mixed", "prose"],
)
def test_tables_as_other_programs_write_them(folder: Path, content: bytes, rows: list[tuple[str, str]]) -> None:
    records = [record for record in read(folder, "rows.csv", content) if record.is_row]
    assert values(records) == [{"prompt": a, "completion": b} for a, b in rows]
    for record in records:
        assert content[record.offset :].startswith(content.splitlines(keepends=True)[record.line - 1])


def test_columns_without_a_name_after_the_last_are_kept(folder: Path) -> None:
    records = read(folder, "rows.csv", b"prompt,completion,,\na,b,,\nc,d,note,\n")
    assert values(records)[1] == {"prompt": "c", "completion": "d", "column_3": "note", "column_4": ""}


def test_a_broken_jsonl_line_costs_one_row(folder: Path) -> None:
    records = read(
        folder, "a.jsonl", b'{"a": 1}\n\n{"a": \n{"a": 3}\n{"a": "\xff"}\n{"a": NaN}\n' + b"[" * 100_000 + b"\n"
    )
    assert [(r.row, r.line, r.fault and r.fault.code) for r in records] == [
        (1, 1, None),
        (2, 2, "blank-line"),
        (2, 3, "broken-json"),
        (3, 4, None),
        (4, 5, "invalid-encoding"),
        (5, 6, "broken-json"),
        (6, 7, "broken-json"),
    ]


def test_a_broken_element_costs_one_row(folder: Path) -> None:
    content = b'[\n  {"a": 1},\n  {"a": "open},\n  {"a": 3},\n  {"a": 4}}\n  ,\n  {"a": [5},\n  {"a": 6}\n]\n'
    found = [(r.row, r.line, r.fault and r.fault.code) for r in read(folder, "a.json", content)]
    assert found == [
        (1, 2, None),
        (2, 3, "broken-json"),
        (3, 4, None),
        (4, 5, "broken-json"),
        (5, 7, "broken-json"),
        (6, 8, None),
    ]


@pytest.mark.parametrize(
    ("content", "rows", "faults"),
    [
        (b'[{"a": 1}', 1, ["broken-json"]),
        (b'[{"a": 1}, {"a"', 2, ["broken-json"]),
        (b'[{"a": 1},]', 2, ["broken-json"]),
        (b'[{"a": 1}] {"a": 2}', 1, ["broken-json"]),
        (b"[]", 0, []),
        (b"[ \n ]\n", 0, []),
    ],
)
def test_the_ends_of_an_array(folder: Path, content: bytes, rows: int, faults: list[str]) -> None:
    records = read(folder, "a.json", content)
    assert sum(r.is_row for r in records) == rows
    assert [r.fault.code for r in records if r.fault] == faults


def test_a_csv_quote_that_is_not_closed_costs_one_row(folder: Path) -> None:
    content = b'a,b\n"x\ny",1\n"open,2\n3,4\n5,"z"\n6,7,8\n9,"open\n10,11\n'
    assert [(r.row, r.line, r.fault and r.fault.code) for r in read(folder, "a.csv", content)] == [
        (1, 2, None),
        (2, 4, "unclosed-quote"),
        (3, 5, None),
        (4, 6, None),
        (5, 7, "column-count"),
        (6, 8, "unclosed-quote"),
        (7, 9, None),
    ]


def test_a_record_over_the_limit_is_passed_over(folder: Path) -> None:
    long = "x" * 5000
    lines = f'{{"a": 1}}\n{{"a": "{long}"}}\n{{"a": 3}}\n'.encode()
    array = b"[" + lines.strip().replace(b"\n", b",\n") + b"]"
    table = f"a,b\n1,1\n2,{long}\n3,3\n".encode()
    for name, content in (("a.jsonl", lines), ("a.json", array), ("a.csv", table)):
        records = read(folder, name, content, max_row_bytes=2000)
        assert [(r.row, r.fault and r.fault.code) for r in records] == [(1, None), (2, "row-too-large"), (3, None)], (
            name
        )
        assert int(records[2].value["a"]) == 3


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("a.parquet", b"PAR1", FileValidationError, "Parquet"),
        ("a.parquet", b"{}", FileValidationError, "no Parquet file"),
        ("a.exe", b"MZ", UnsupportedFormatError, ".jsonl, .json, .csv, .tsv and .parquet"),
        ("a.gz", b"\x1f\x8b", UnsupportedFormatError, "'.gz'"),
        ("a.jsonl.gz", b"{}", PackedFileError, "no gzip file"),
        ("noextension", b"{}", UnsupportedFormatError, "without an extension"),
        ("a.jsonl", b"PAR1\x00\x01", UnsupportedFormatError, "Parquet"),
        ("a.csv", b"PK\x03\x04\x00", UnsupportedFormatError, "ZIP"),
        ("a.jsonl", b"", EmptyDatasetError, "empty"),
        ("a.json", b"\xef\xbb\xbf \n\n", EmptyDatasetError, "empty"),
        ("a.csv", b"\n\n", EmptyDatasetError, "empty"),
        ("a.jsonl", b'{"a": 1}\n{"a\x00": 2}\n', FileValidationError, "line 2, byte 4"),
        ("a.jsonl", b'{"a": 1}\n\x80\x81\xff\n', FileValidationError, "line 2, byte 1"),
        ("a.csv", "질문,답\n".encode("utf-32"), UnsupportedEncodingError, "UTF-32"),
        ("a.csv", "質問,答え\n".encode("euc-jp"), FileValidationError, "neither UTF-8 nor CP949"),
        ("a.csv", "问题,回答\n你好，请问今天的天气\n".encode("gb2312"), FileValidationError, "neither UTF-8 nor CP949"),
        ("a.csv", b"caf\xe9,r\xe9ponse\n", FileValidationError, "line 1, byte 4"),
        ("a.csv", b"a,b,a\n1,2,3\n", FileValidationError, "'a' more than once"),
        ("a.csv", b"a,,b\n1,2,3\n", FileValidationError, "column 2"),
        ("a.csv", b'"a,b\n1,2\n', FileValidationError, "header"),
        ("a.csv", b"a,b\r1,2\r", FileValidationError, "carriage return"),
        ("a.json", b'{\n"a": 1}', FileValidationError, "an array of objects"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    folder: Path, name: str, content: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match="(?s)" + words.replace(".", r"\.")) as caught:
        read(folder, name, content)
    assert isinstance(caught.value, TunesmithError)
    assert caught.value.hint


def test_json_and_json_lines_are_told_apart_by_content(folder: Path) -> None:
    assert values(read(folder, "a.json", b'{"a": 1}\n{"a": 2}\n')) == [{"a": 1}, {"a": 2}]
    assert values(read(folder, "a.jsonl", b'[{"a": 1},\n {"a": 2}]')) == [{"a": 1}, {"a": 2}]
    assert values(read(folder, "a.jsonl", b'["a", "b"]\n{"a": 2}\n')) == [["a", "b"], {"a": 2}]


def test_a_key_that_is_repeated_is_noted_where_it_is(folder: Path) -> None:
    [record] = read(folder, "a.jsonl", b'{"m": [{"x": 1}, {"a/b": 1, "a/b": 2}]}')
    assert record.note is not None
    assert (record.note.code, record.note.pointer) == ("duplicate-key", "/m/1/a~1b")


def test_columns_are_read_under_the_names_of_the_format(folder: Path) -> None:
    path = folder / "mapped.csv"
    path.write_bytes("제목,질문,답변,prompt\n배,언제?,정오,7\n,어디?,부두,8\n".encode())
    mapping = {"제목": "prompt", "질문": "prompt", "답변": "completion"}
    with open_file(path, path.name, mapping=mapping) as (data, _):
        assert (data.columns, data.fields) == (
            ["제목", "질문", "답변", "prompt"],
            ["prompt", "completion", "prompt (unmapped)"],
        )
        assert [record.value for record in data.records()] == [
            {"prompt": "배\n\n언제?", "completion": "정오", "prompt (unmapped)": "7"},
            {"prompt": "어디?", "completion": "부두", "prompt (unmapped)": "8"},
        ]


def test_a_conversation_in_a_cell_is_read(folder: Path) -> None:
    turns = [{"role": "user", "content": "hi"}]
    [record] = read(folder, "a.csv", b'messages,note\n"' + json.dumps(turns).replace('"', '""').encode() + b'",[1]\n')
    assert record.value == {"messages": turns, "note": "[1]"}


@given(
    rows=st.lists(st.text('ab"\\[]{},: 가', min_size=0, max_size=900), min_size=1, max_size=5),
    chunk=st.integers(5, 400),
    indent=st.sampled_from([None, 1]),
    is_ascii=st.booleans(),
)
@settings(max_examples=60)
def test_an_element_over_the_limit_costs_one_row_wherever_the_file_is_cut(
    rows: list[str], chunk: int, indent: int | None, is_ascii: bool
) -> None:
    content = json.dumps([{"t": text} for text in rows], ensure_ascii=is_ascii, indent=indent).encode()
    usual, json_array.CHUNK_BYTES = json_array.CHUNK_BYTES, chunk
    try:
        records = list(json_array.read_json_array(io.BytesIO(content), Position(), 300, False))
    finally:
        json_array.CHUNK_BYTES = usual
    assert [record.line for record in records] == [1 if indent is None else 2 + 3 * at for at in range(len(rows))]
    for record, text in zip(records, rows, strict=True):
        assert record.value == {"t": text} or (record.fault and record.fault.code == "row-too-large")
