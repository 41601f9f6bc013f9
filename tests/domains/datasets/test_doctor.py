"""The doctor finds exactly the faults that were put in, says where they are, and shows no personal data."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tunesmith
from tunesmith.domains.datasets.doctor import CODES, DoctorReport, Limits, examine_file
from tunesmith.domains.datasets.doctor.digests import FirstRows
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.pii import mask

EXAMPLE = Path(tunesmith.__file__).parent / "bundle" / "examples" / "haedam-ferry"


def chat(*turns: Any) -> str:
    roles = ("user", "assistant") * len(turns)
    messages = [
        turn if isinstance(turn, dict | list | int) else {"role": role, "content": turn}
        for role, turn in zip(roles, turns, strict=False)
    ]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def turn(role: Any, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def examined(tmp_path: Path, name: str, content: str | bytes, **options: Any) -> DoctorReport:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return examine_file(path, **options)


FAULTS: list[tuple[bytes | str, list[tuple[str, str]]]] = [
    ('{"messages": [', [("broken-json", "")]),
    (b'{"messages": "\xff"}', [("invalid-encoding", "")]),
    ('["user", "assistant"]', [("not-an-object", "")]),
    ("42", [("not-an-object", "")]),
    ('{"mesages": []}', [("missing-field", "/messages")]),
    ('{"messages": "hi"}', [("wrong-type", "/messages")]),
    ('{"messages": []}', [("no-assistant", "/messages")]),
    (chat(7, "answer A"), [("wrong-type", "/messages/0")]),
    (chat({"content": "who?"}, "answer B"), [("missing-field", "/messages/0/role")]),
    (chat({"role": "user"}, "answer C"), [("missing-field", "/messages/0/content")]),
    (chat(turn(1, "q"), "answer D"), [("wrong-type", "/messages/0/role")]),
    (chat("q E", turn("assistant", None)), [("wrong-type", "/messages/1/content")]),
    (chat(turn("human", "q F"), "answer F"), [("unknown-role", "/messages/0/role")]),
    (chat("q G"), [("no-assistant", "/messages")]),
    (chat("q H", "  \n "), [("empty-turn", "/messages/1/content")]),
    (chat("", "answer I"), [("empty-turn", "/messages/0/content")]),
    (chat(turn("assistant", "answer J")), [("wrong-role-order", "/messages/0/role")]),
    (chat("q K", turn("user", "again"), turn("assistant", "answer K")), [("wrong-role-order", "/messages/1/role")]),
    (chat("q L", "answer L", turn("system", "late")), [("wrong-role-order", "/messages/2/role")]),
    (chat("q M", "answer M", "and now?"), [("last-turn-not-assistant", "/messages/2/role")]),
    (chat("q N", "bell \x07 bell \x07"), [("control-character", "/messages/1/content")]),
    (chat("q O", "안녕하세요".encode().decode("latin-1")), [("mojibake", "/messages/1/content")]),
    (chat("q P", "donâ€™t"), [("mojibake", "/messages/1/content")]),
    (chat("q Q", "lost \ufffd text"), [("mojibake", "/messages/1/content")]),
    (chat("first", "answer"), [("exact-duplicate", "")]),
    (chat("first", "another answer"), [("contradictory-answers", "")]),
    (chat("q R", "ask minji.kim@example.co.kr"), [("pii-email", "/messages/1/content")]),
    (chat("q S", "call 010-1234-5678"), [("pii-phone", "/messages/1/content")]),
    (chat("q T", "call 02 123 4567 or +82-10-9876-5432"), [("pii-phone", "/messages/1/content")] * 2),
    (chat("q U", turn("assistant", "answer U", weight=1)), [("extra-field", "/messages/1/weight")]),
    (chat("q V", turn("assistant", "answer V", weight="1")), [("type-drift", "/messages/1/weight")]),
    ('{"messages": [], ' + chat("q W", "answer W")[1:], [("duplicate-key", "/messages")]),
    ('{"id": 1, ' + chat("q X", "answer X")[1:], [("extra-field", "/id")]),
    ('{"id": "one", ' + chat("q Y", "answer Y")[1:], [("type-drift", "/id")]),
    (chat("q Z", "half ").replace("half ", "half \\ud83d"), [("invalid-encoding", "")]),
]


def test_exactly_the_faults_that_were_put_in_each_with_its_row_and_line(tmp_path: Path) -> None:
    """35 faults between good rows, with blank lines that move the lines away from the rows."""
    lines: list[bytes] = [chat("first", "answer").encode()]
    expected: list[tuple[str, int, int, str]] = []
    row = 1
    for number, (text, found) in enumerate(FAULTS):
        if number % 5 == 0:
            expected.append(("blank-line", row, len(lines) + 1, ""))
            lines.append(b"")
        lines.append(text if isinstance(text, bytes) else text.encode())
        row += 1
        expected += [(code, row, len(lines), pointer) for code, pointer in found]
        lines.append(chat(f"good {number}", f"well {number}").encode())
        row += 1
    report = examined(tmp_path, "faults.jsonl", b"\n".join(lines) + b"\n")
    assert [(f.code, f.row, f.line, f.pointer) for f in report.findings] == expected
    assert report.rows == row
    assert report.counts.red == sum(CODES[code].severity == "red" for code, *_ in expected)
    assert report.counts.by_code["blank-line"] == 7
    assert {CODES[f.code].severity for f in report.findings} == {"red", "amber", "green"}
    assert all(f.fix and f.message for f in report.findings)


def test_the_bundled_file_with_faults() -> None:
    report = examine_file(EXAMPLE / "train_with_faults.jsonl")
    listed = [(f["kind"], f["row"], f["line"]) for f in json.loads((EXAMPLE / "faults.json").read_text())]
    exact = [fault for fault in listed if fault[0] != "near-duplicate"]  # texts that only resemble each other
    found = [(f.code, f.row, f.line) for f in report.findings]
    assert [finding for finding in found if finding[0] != "contradictory-answers"] == exact
    assert examine_file(EXAMPLE / "train.jsonl").findings == []


def test_personal_data_is_shown_nowhere(tmp_path: Path) -> None:
    secret, phone = "minji.kim@example.com", "010-1234-5678"
    rows = [
        chat(turn(f"{secret}", f"{phone}"), "a"),
        json.dumps({f"{secret}": phone}),
        json.dumps([secret, phone]),
        chat("q", turn("assistant", "a", **{secret: phone})),
        f'{{"messages": "{secret} {phone}',
        json.dumps({"messages": f"{secret} {phone} {phone}"}),
        f'{{"{secret}": 1, "{secret}": 2}}',
        chat("q", f"Ã© {secret} {phone} \x07"),
        chat("x" * 70 + secret, ""),
    ]
    report = examined(tmp_path, "pii.jsonl", "\n".join(rows))
    shown = report.model_dump_json()
    assert len(report.findings) >= len(rows)
    assert "minji" not in shown
    assert "1234" not in shown
    assert "5678" not in shown


PERSONAL = {
    "pii-email": "메일 minji.kim@example.co.kr",
    "pii-phone": "전화 010-9876-4321",
    "pii-rrn": "주민등록번호 900101-1234568",
    "pii-frn": "외국인등록번호 900101-5234560",
    "pii-brn": "사업자등록번호 124-81-00998",
    "pii-passport": "여권번호 M98765432",
    "pii-driver-licence": "면허번호 11-22-987654-33",
    "pii-bank-account": "신한은행 110-987-654321",
    "pii-card": "카드 5500-0000-0000-0004",
    "pii-iban": "IBAN DE89 3704 0044 0532 0130 00",
    "pii-ip": "접속 IP 203.252.33.7",
    "pii-key": "key sk-q7Zp2Lk9Xw4Vb8Nm3Rt6Yh1",
    "pii-uncertain": "예시 4532-1234-5678-9010",
}


def test_every_kind_that_a_rule_finds_is_tried() -> None:
    assert {*PERSONAL, "pii-person", "pii-address"} == {code for code in CODES if code.startswith("pii-")}


@pytest.mark.parametrize("code", PERSONAL)
def test_each_kind_of_personal_data_has_its_finding_without_the_value(tmp_path: Path, code: str) -> None:
    text = PERSONAL[code]
    (finding,) = examined(tmp_path, "a.jsonl", chat("q", text)).findings
    assert (finding.code, finding.pointer) == (code, "/messages/1/content")
    assert finding.severity == ("green" if code == "pii-uncertain" else "amber")
    value = text.split(" ", 1)[1]
    assert not re.search(re.escape(value[4:]), finding.model_dump_json())
    assert "*" in str(finding.found)
    assert examined(tmp_path, "a.jsonl", chat("q", text), limits=Limits(check_pii=False)).findings == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("010-1234-5678", "010-****-****"),
        ("01012345678", "010********"),
        ("02-1234-5678", "02-****-****"),
        ("+82-10-1234-5678", "+82-**-****-****"),
        ("+821012345678", "+821*********"),
        ("031 123 4567", "031 *** ****"),
        ("kim+tag@mail.example.org!", "k***@***.org!"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-15 10:30", "3.14159265358979", "1234-5678-9012", "order 20240212345678", "a @ b", "me@home",
        "CAFÉ”", "“É”", "Ça va, élève à l’été – naïve", "Größe ÄÖÜ", "가격은 12,345,678원", "1,010,123,456",
    ],
)  # fmt: skip
def test_good_texts_have_no_findings(tmp_path: Path, text: str) -> None:
    assert examined(tmp_path, "good.jsonl", chat(text, "answer")).findings == []


def test_csv_lines_are_those_of_the_file(tmp_path: Path) -> None:
    content = (
        '\ufeffprompt,completion,id\n"two\nlines",answer,1\n,answer 2,2\nquestion,"",x\na,b\n\n"open,1,2\nlast,one,3\n'
    )
    report = examined(tmp_path, "faults.csv", content)
    assert [(f.code, f.row, f.line, f.pointer) for f in report.findings] == [
        ("encoding-bom", 1, 1, ""),
        ("extra-field", 1, 2, "/id"),
        ("empty-turn", 2, 4, "/prompt"),
        ("empty-turn", 3, 5, "/completion"),
        ("column-count", 4, 6, ""),
        ("blank-line", 4, 7, ""),
        ("unclosed-quote", 5, 8, ""),
    ]
    assert (report.rows, report.format) == (6, DataFormat.PROMPT_COMPLETION)


def test_alpaca_in_a_json_array(tmp_path: Path) -> None:
    rows = [
        {"instruction": "a", "input": "", "output": "b"},
        {"instruction": "a", "input": None, "output": 5},
        {"instruction": "a", "output": "b"},
        {"instruction": "c", "input": ["x"], "output": "d"},
        {"question": "e", "answer": "f"},
        {"instruction": "g", "answer": "h"},
    ]
    report = examined(tmp_path, "rows.json", json.dumps(rows, indent=2))
    assert [(f.code, f.row, f.line, f.pointer) for f in report.findings] == [
        ("wrong-type", 2, 7, "/output"),
        ("exact-duplicate", 3, 12, ""),
        ("wrong-type", 4, 16, "/input"),
        ("missing-field", 5, 23, ""),
        ("missing-field", 6, 27, "/output"),
    ]
    assert "`answer`: was that meant" in report.findings[-1].message


def test_score(tmp_path: Path) -> None:
    good = [chat(f"q{n}", f"a{n}") for n in range(8)]
    assert examined(tmp_path, "a.jsonl", "\n".join(good)).score == 100
    assert (
        examined(tmp_path, "a.jsonl", "\n".join([*good, "[]", chat("q0", "other")])).score == 87
    )  # 1 red, 1 amber of 10
    assert examined(tmp_path, "a.jsonl", "[]\n[]", fmt=DataFormat.MESSAGES).score == 0


def test_a_models_tokenizer_measures_rows(tmp_path: Path) -> None:
    content = chat("Hello?", "Hello.") + "\n" + chat("Again?", " ".join(f"word {number}" for number in range(200)))
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    report = examine_file(path, tokenizer_dir=EXAMPLE.parents[1] / "model", max_length=300)
    assert [(f.code, f.row) for f in report.findings] == [("truncated-answer", 2)]


def test_checks_can_be_left_out(tmp_path: Path) -> None:
    content = "\n".join([chat("q", "call 010-1234-5678"), chat("q", "call 010-1234-5678"), chat("q", "")])
    limits = Limits(check_pii=False, check_duplicates=False)
    report = examined(tmp_path, "a.jsonl", content, limits=limits)
    assert [f.code for f in report.findings] == ["empty-turn"]


def test_an_empty_csv_and_an_empty_array_have_a_finding(tmp_path: Path) -> None:
    assert [f.code for f in examined(tmp_path, "a.csv", "prompt,completion\n").findings] == ["empty-file"]
    assert [f.code for f in examined(tmp_path, "a.json", "[]").findings] == ["empty-file"]


@given(st.lists(st.integers(1, 60) | st.integers(1, 2**64 - 1), max_size=300))
def test_first_rows_is_a_map(keys: list[int]) -> None:
    seen: dict[int, int] = {}
    rows = FirstRows()
    for row, key in enumerate(keys, start=1):
        assert rows.first(key, row) == seen.get(key, 0)
        seen.setdefault(key, row)


def test_first_rows_grows() -> None:
    rows = FirstRows()
    crowded = [number * 4096 + 1 for number in range(1000)]  # all begin at the same slot of the smallest table
    numbers = random.Random(0)
    keys = crowded + [numbers.getrandbits(64) for _ in range(20_000)]
    assert not any(rows.first(key, row) for row, key in enumerate(keys, start=1))
    assert [rows.first(key, 1) for key in keys] == list(range(1, 21_001))
