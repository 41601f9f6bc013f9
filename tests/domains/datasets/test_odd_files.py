"""Files as other programs write them: one long line, CP949 that begins in English, labels as words, answers as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tunesmith.domains.datasets.derivation.cleaning.normalising import without_html
from tunesmith.domains.datasets.doctor import DoctorReport, examine_file
from tunesmith.domains.datasets.errors import FileValidationError
from tunesmith.domains.datasets.exploration.cells import number_in
from tunesmith.domains.datasets.formats import DataFormat

ROWS = [{"prompt": f"{n}번 배는 언제 떠나요?", "completion": f"{n}시에 떠납니다."} for n in range(1, 9)]


def examined(tmp_path: Path, name: str, content: str | bytes) -> DoctorReport:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return examine_file(path)


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def codes(report: DoctorReport) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.row) for finding in report.findings]


def test_an_array_in_one_line_is_read_whatever_its_name(tmp_path: Path) -> None:
    report = examined(tmp_path, "rows.jsonl", json.dumps(ROWS, ensure_ascii=False))
    assert (report.rows, codes(report)) == (8, [])


@pytest.mark.parametrize(
    "text",
    [
        "prompt,completion\n"
        + "When does it leave?,It leaves at noon.\n" * 2000
        + "언제 떠나요?,정오에 떠납니다.\n" * 40,
        "prompt,completion\n" + "대한민국(大韓民國)의 수도는?,서울(首爾)입니다. 漢字도 씁니다.\n" * 9,
    ],
)
def test_cp949_is_told_by_its_korean_lines(tmp_path: Path, text: str) -> None:
    report = examined(tmp_path, "rows.csv", text.encode("cp949"))
    assert report.rows == text.count("\n") - 1
    assert {code for code, _ in codes(report)} <= {"exact-duplicate"}


@pytest.mark.parametrize(("good", "bad"), [("1.0", "0.0"), ("positive", "negative"), ("긍정", "부정")])
def test_labels_may_be_words(tmp_path: Path, good: str, bad: str) -> None:
    rows = [{**row, "label": bad if number % 3 else good} for number, row in enumerate(ROWS)]
    report = examined(tmp_path, "rows.jsonl", lines(rows))
    assert (report.format, codes(report)) == (DataFormat.KTO, [])


def test_an_answer_with_both_labels_is_a_contradiction_and_no_duplicate(tmp_path: Path) -> None:
    rows = [{**row, "label": number % 2 == 0} for number, row in enumerate(ROWS)]
    report = examined(tmp_path, "rows.jsonl", lines([*rows, rows[0], {**rows[1], "label": True}]))
    assert codes(report) == [("exact-duplicate", 9), ("contradictory-answers", 10)]


def test_rows_with_other_thoughts_or_tools_are_other_rows(tmp_path: Path) -> None:
    asked, answered = {"role": "user", "content": "몇 시예요?"}, {"role": "assistant", "content": "정오입니다."}
    tool = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
    rows = [
        {"messages": [asked, {**answered, "reasoning_content": "시계를 본다."}]},
        {"messages": [asked, {**answered, "reasoning_content": "해를 본다."}]},
        {"messages": [asked, answered], "tools": [tool]},
        {"messages": [asked, answered]},
    ]
    assert "exact-duplicate" not in [code for code, _ in codes(examined(tmp_path, "rows.jsonl", lines(rows)))]


def test_personal_data_is_found_in_what_nothing_reads(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "누구세요?"}, {"role": "assistant", "content": "안내원입니다."}]
    turns[1]["reasoning_content"] = "메일은 minji.kim@example.co.kr"
    row = {"messages": turns, "meta": {"phones": ["010-1234-5678"]}}
    report = examined(tmp_path, "rows.jsonl", lines([row]))
    places = {finding.code: finding.pointer for finding in report.findings if finding.code.startswith("pii-")}
    assert places == {"pii-email": "/messages/1/reasoning_content", "pii-phone": "/meta/phones/0"}


def test_an_answer_in_a_table_may_be_json(tmp_path: Path) -> None:
    text = "prompt,completion\n" + "".join(f'Who is {n}?,"[{{""name"": ""Kim {n}""}}]"\n' for n in range(4))
    report = examined(tmp_path, "rows.csv", text)
    assert (report.format, codes(report)) == (DataFormat.PROMPT_COMPLETION, [])


@pytest.mark.parametrize("text", ["0.5854675066096489", "1e-07", "3.141592653589793238", ".12345678901234567"])
def test_numbers_as_programs_write_them_are_numbers(text: str) -> None:
    assert number_in(text) == float(text)


def test_a_comparison_is_no_tag() -> None:
    assert without_html("if a<b and c>d: <b>bold</b> <a href='x'>link</a>") == "if a<b and c>d: bold link"
    assert without_html("<input disabled> <td nowrap align=left>x</td >") == " x"


def test_a_date_beyond_the_calendar_is_refused_in_words(tmp_path: Path) -> None:
    far = pa.array([2**40], pa.int64()).cast(pa.timestamp("s"))
    parquet.write_table(pa.table({"prompt": ["q"], "completion": ["a"], "at": far}), tmp_path / "rows.parquet")
    with pytest.raises(FileValidationError, match="Parquet file cannot be read"):
        examine_file(tmp_path / "rows.parquet")
