"""Fixes of the doctor's findings: each code on rows that have it, and over HTTP; what is fixed is found no more."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.domains.datasets.conftest import PATH, Answered, RowsOf, Upload, Work
from tunesmith.domains.datasets.derivation.fixing.fixers import FIXERS, OF_SEVERAL_ROWS, OF_THE_FILE
from tunesmith.domains.datasets.derivation.fixing.operation import Fix
from tunesmith.domains.datasets.derivation.writing import ROWS, Derivation
from tunesmith.domains.datasets.doctor import CODES, examine_file
from tunesmith.domains.datasets.doctor.fixable import FIXABLE
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.schemas.derivation import StepReport
from tunesmith.domains.datasets.source import RowSource


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def turns(*said: tuple[str, str] | dict[str, Any]) -> dict[str, Any]:
    return {"messages": [one if isinstance(one, dict) else {"role": one[0], "content": one[1]} for one in said]}


GOOD = turns(("user", "배는 언제?"), ("assistant", "정오에."))
PAIR = {"prompt": "질문?", "completion": "대답."}
MOJIBAKE = "안녕하세요".encode().decode("latin-1")


def test_every_fixable_code_has_a_fixer_and_the_other_way_round() -> None:
    assert FIXERS.keys() | OF_SEVERAL_ROWS | OF_THE_FILE == FIXABLE
    assert set(CODES) >= FIXABLE
    assert {code.slug for code in CODES.values() if code.is_fixable} == FIXABLE


CONVERSATIONS = [
    (
        "control-character",
        turns(("user", "a\x07b"), ("assistant", "c\x0bd")),
        turns(("user", "ab"), ("assistant", "c\nd")),
    ),
    (
        "mojibake",
        turns(("user", f"네, {MOJIBAKE}!"), ("assistant", "네")),
        turns(("user", "네, 안녕하세요!"), ("assistant", "네")),
    ),
    ("unknown-role", turns(("human", "a"), ("GPT", "b")), turns(("user", "a"), ("assistant", "b"))),
    ("unknown-role", turns(("wizard", "a"), ("user", "b")), None),
    (
        "unknown-role",
        turns(("user", "a"), ("대답이 길어요", "assistant")),
        turns(("user", "a"), ("assistant", "대답이 길어요")),
    ),
    (
        "missing-field",
        turns({"from": "user", "value": "a"}, ("assistant", "b")),
        turns(("user", "a"), ("assistant", "b")),
    ),
    (
        "missing-field",
        turns(("user", "a"), ("assistant", "b"), {"content": "c"}, ("assistant", "d")),
        turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
    ),
    (
        "wrong-role-order",
        turns(("user", "a"), ("user", "b"), ("assistant", "c")),
        turns(("user", "a\n\nb"), ("assistant", "c")),
    ),
    ("wrong-role-order", turns(("assistant", "a"), ("user", "b"), ("assistant", "c")), None),
    (
        "last-turn-not-assistant",
        turns(("user", "a"), ("assistant", "b"), ("user", "c")),
        turns(("user", "a"), ("assistant", "b")),
    ),
    ("no-assistant", turns(("user", "a")), "removed"),
    ("empty-turn", turns(("user", "a"), ("assistant", " ")), "removed"),
    (
        "empty-turn",
        turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "")),
        turns(("user", "a"), ("assistant", "b")),
    ),
    (
        "wrong-type",
        turns(("user", "a"), {"role": "assistant", "content": 42}),
        turns(("user", "a"), ("assistant", "42")),
    ),
    ("wrong-type", {"messages": json.dumps(GOOD["messages"])}, GOOD),
    ("wrong-type", turns(("user", "a"), {"role": "assistant", "content": {"x": 1}}), None),
    ("exact-duplicate", GOOD, "removed"),
]


def fix(folder: Path, name: str, content: str | bytes, code: str) -> tuple[list[Any], StepReport, Counter[str]]:
    """Fix a code in a file; answers the new rows, what the step says, and the findings of the new file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = examine_file(path)
    found = [finding for finding in report.findings if finding.code == code]
    assert found
    assert all(finding.fixable for finding in found)
    source = RowSource(path, FileKind(Path(name).suffix[1:]), report.format, 1 << 20)
    work = Derivation(source, Fix({"codes": [code]}))
    work.run(folder / "out")
    rows = [json.loads(line) for line in (folder / "out" / ROWS).read_bytes().splitlines()]
    [step] = work.report.document().steps
    assert step.step == code
    assert work.makes_a_version == bool(step.changed or step.removed)
    fixed = examine_file(folder / "out" / ROWS, fmt=report.format)
    return rows, step, Counter(finding.code for finding in fixed.findings)


@pytest.mark.parametrize(("code", "row", "expected"), CONVERSATIONS)
def test_a_conversation_is_mended_or_named(tmp_path: Path, code: str, row: dict[str, Any], expected: Any) -> None:
    rows, step, left = fix(tmp_path, "a.jsonl", lines([GOOD, row]), code)
    if expected is None:
        assert (rows, step.changed, step.left, step.examples[0].kind) == ([GOOD, row], 0, 1, "left")
        assert left[code] >= 1
    elif expected == "removed":
        assert (rows, step.removed, step.removed_rows) == ([GOOD], 1, [2])
        assert not left[code]
    else:
        assert (rows, step.changed, step.left) == ([GOOD, expected], step.changed, 0)
        assert not left[code]


OTHERS = [
    (
        "missing-field",
        "a.jsonl",
        lines([PAIR, {"prompt": "p", "Completion ": "c"}]),
        [PAIR, {"prompt": "p", "completion": "c"}],
    ),
    ("missing-field", "a.jsonl", lines([PAIR, {"질문": "p", "답변": "c"}]), [PAIR, {"prompt": "p", "completion": "c"}]),
    (
        "wrong-type",
        "a.jsonl",
        lines([PAIR, {"prompt": 1.5, "completion": True}]),
        [PAIR, {"prompt": "1.5", "completion": "true"}],
    ),
    ("empty-turn", "a.csv", "prompt,completion\na,b\nc,\n", [{"prompt": "a", "completion": "b"}]),
    (
        "invalid-encoding",
        "a.jsonl",
        '{"prompt": "a\\ud800b", "completion": "c"}\n' + lines([PAIR]),
        [{"prompt": "ab", "completion": "c"}, PAIR],
    ),
    (
        "invalid-encoding",
        "a.jsonl",
        lines(
            [{"prompt": f"질문이 여기 있습니다 {n}", "completion": "대답은 저기 있습니다"} for n in range(9)]
        ).encode()
        + '{"prompt": "옛 글", "completion": "배"}\n'.encode("cp949"),
        [
            *({"prompt": f"질문이 여기 있습니다 {n}", "completion": "대답은 저기 있습니다"} for n in range(9)),
            {"prompt": "옛 글", "completion": "배"},
        ],
    ),
    (
        "duplicate-key",
        "a.jsonl",
        '{"prompt": "a", "prompt": "b", "completion": "c"}\n',
        [{"prompt": "b", "completion": "c"}],
    ),
    ("blank-line", "a.jsonl", "\n" + lines([PAIR]) + "\n\n", [PAIR]),
    ("encoding-bom", "a.jsonl", "\ufeff" + lines([PAIR]), [PAIR]),
    ("chosen-equals-rejected", "a.jsonl", lines([{"prompt": "p", "chosen": "a", "rejected": r} for r in "ab"]), None),
]


@pytest.mark.parametrize(("code", "name", "content", "expected"), OTHERS)
def test_other_faults_are_mended(tmp_path: Path, code: str, name: str, content: str | bytes, expected: Any) -> None:
    rows, _, left = fix(tmp_path, name, content, code)
    assert not left[code]
    assert rows == (expected or [{"prompt": "p", "chosen": "a", "rejected": "b"}])


BROKEN = [
    turns(("human", "a\x07"), ("assistant", "b")),
    turns(("human", "c"), ("assistant", "d")),
    GOOD,
    turns(("user", "a"), ("assistant", "b"), ("user", "c\x07")),
    GOOD,
]


async def test_all_fixes_at_once_leave_nothing_that_can_be_fixed(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("a.jsonl", lines(BROKEN))).json()
    preview = await answered("POST", f"/{made['id']}/fixes", json={"preview": True})
    assert (preview["preview"], preview["changed"], preview["dataset"]["id"]) == (True, True, made["id"])
    assert (await client.get(PATH)).json()["total"] == 1
    answer = await answered("POST", f"/{made['id']}/fixes")
    assert answer["report"] == preview["report"]
    assert answer["diff"] == preview["diff"] == {"added": 0, "removed": 2, "changed": 3 - 1}
    await work()
    fixed = (await client.get(f"{PATH}/{answer['dataset']['id']}")).json()
    assert fixed["findings_counts"]["by_code"] == {}
    again = await answered("POST", f"/{fixed['id']}/fixes")
    assert (again["changed"], again["report"]["steps"]) == (False, [])


async def test_one_finding_or_one_row_is_fixed_alone(
    upload: Upload, answered: Answered, rows_of: RowsOf, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", lines(BROKEN))).json()
    one = {"row": 1, "code": "unknown-role", "pointer": "/messages/0/role"}
    first = await answered("POST", f"/{made['id']}/fixes", json={"findings": [one]})
    expected = [turns(("user", "a\x07"), ("assistant", "b")), *BROKEN[1:]]
    assert await rows_of(first["dataset"]["id"]) == expected
    second = await answered("POST", f"/{made['id']}/fixes", json={"rows": [4], "codes": ["last-turn-not-assistant"]})
    assert await rows_of(second["dataset"]["id"]) == [*BROKEN[:3], turns(("user", "a"), ("assistant", "b")), GOOD]
    third = await answered("POST", f"/{made['id']}/fixes", json={"findings": [{"row": 5, "code": "exact-duplicate"}]})
    assert await rows_of(third["dataset"]["id"]) == BROKEN[:4]


async def test_fixes_that_there_are_not_are_refused(upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines([GOOD]))).json()
    path = f"{PATH}/{made['id']}/fixes"
    for body in ({"codes": ["broken-json"]}, {"codes": ["no-such"]}, {"findings": [{"row": 1, "code": "pii-email"}]}):
        refused = await client.post(path, json=body)
        assert refused.status_code == 422
        assert "control-character" in refused.json()["detail"]
