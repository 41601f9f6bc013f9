"""Cleaning: each step previewed and applied over HTTP; the rules for texts on their own."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.datasets.conftest import PATH, Answered, RowsOf, Upload, Work
from tunesmith.domains.datasets.derivation.cleaning.normalising import RULES


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


TEXTS = [
    ("unicode", unicodedata.normalize("NFD", "한국어"), "한국어"),
    (
        "whitespace",
        "  def f():\r\n\treturn  1 \n\n\n\n안녕\u3000\u00a0하세요  ",
        "  def f():\n\treturn 1\n\n안녕 하세요",
    ),
    ("control_characters", "a\x00b\u200bc\ufeff👩\u200d🚒\n", "abc👩\u200d🚒\n"),
    (
        "html",
        "<p>배는 <b class='x'>정오</b>에&nbsp;떠납니다.<br/>A &amp; B</p><script>x<y</script>",
        "배는 정오에\xa0떠납니다.\nA & B\n",
    ),
    ("html", "std::vector<int> a < b && c > d <- e", "std::vector<int> a < b && c > d <- e"),
    ("repeated_punctuation", "정말?!! 와!!!! ..... 네~~~ !!x ???", "정말?! 와! ... 네~ !!x ???"),
]


@pytest.mark.parametrize(("rule", "text", "expected"), TEXTS)
def test_a_rule_does_what_its_name_says(rule: str, text: str, expected: str) -> None:
    assert RULES[rule](text) == expected


@given(st.sampled_from(["unicode", "whitespace", "control_characters", "repeated_punctuation"]), st.text())
def test_a_clean_text_stays_as_it_is(rule: str, text: str) -> None:
    once = RULES[rule](text)
    assert RULES[rule](once) == once


ROWS = [
    {"id": 1, "prompt": "배는 언제 떠나요??", "completion": "정오에  떠납니다."},
    {"id": 2, "prompt": "배는 언제 떠나요??", "completion": "정오에 떠납니다."},
    {"id": 3, "prompt": "표는 어디에서 사나요?", "completion": " "},
    {"id": 4, "prompt": "<b>부두</b>는 어디인가요?", "completion": "역 앞에 있습니다. " * 30},
    {"id": 5, "prompt": "짧다", "completion": "네", "note": None},
]


async def test_a_preview_says_what_each_step_would_do_and_makes_nothing(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    steps = {
        "normalise": {"whitespace": True, "html": True, "repeated_punctuation": True},
        "missing": [
            {"columns": ["completion"], "action": "drop"},
            {"columns": ["note"], "action": "fill", "value": "없음"},
        ],
        "length": {"minimum": 5, "maximum": 300},
        "exact_duplicates": True,
        "columns": {"drop": ["id"], "rename": {"note": "비고"}},
    }
    preview = await answered("POST", f"/{made['id']}/clean", json=steps | {"preview": True})
    assert (preview["preview"], preview["dataset"]["id"]) == (True, made["id"])
    assert (await client.get(PATH)).json()["total"] == 1
    counts = {step["step"]: (step["changed"], step["removed"]) for step in preview["report"]["steps"]}
    assert counts == {
        "columns": (5, 0),
        "html": (1, 0),
        "repeated-punctuation": (2, 0),
        "whitespace": (3, 0),
        "missing": (4, 1),
        "length": (0, 2),
        "exact-duplicates": (0, 1),
        "rename": (1, 0),
    }
    by_name = {step["step"]: step for step in preview["report"]["steps"]}
    assert by_name["length"]["removed_rows"] == [4, 5]
    assert "more than 300" in by_name["length"]["examples"][0]["note"]
    assert by_name["exact-duplicates"]["examples"][0]["note"] == "The row repeats row 1."
    assert by_name["whitespace"]["examples"][0]["pointer"] == "/completion"
    applied = await answered("POST", f"/{made['id']}/clean", json=steps)
    assert applied["report"] == preview["report"]
    assert applied["diff"] == {"added": 0, "removed": 4, "changed": 1}
    expected = [{"prompt": "배는 언제 떠나요?", "completion": "정오에 떠납니다.", "비고": "없음"}]
    assert await rows_of(applied["dataset"]["id"]) == expected
    undone = (await client.post(f"{PATH}/{applied['dataset']['id']}/undo")).json()
    assert undone["dataset"]["sha256"] == made["sha256"]


async def test_near_duplicates_go_but_for_the_first(
    upload: Upload, work: Work, answered: Answered, rows_of: RowsOf
) -> None:
    words = " ".join(f"낱말{n}" for n in range(60))
    rows = [
        {"prompt": f"{words} 하나", "completion": "네"},
        {"prompt": "다른 것", "completion": "아니요"},
        {"prompt": f"{words} 하나!", "completion": "네."},
        {"prompt": f"{words} 둘", "completion": "네"},
    ]
    made = (await upload("a.jsonl", lines(rows) + "{broken\n")).json()
    strict = await answered("POST", f"/{made['id']}/clean", json={"near_duplicates": {"threshold": 1}})
    assert strict["report"]["steps"][0]["removed_rows"] == [3]
    loose = await answered("POST", f"/{made['id']}/clean", json={"near_duplicates": {"threshold": 0.9}})
    assert loose["report"]["steps"][0]["removed_rows"] == [3, 4]
    assert "row 1" in loose["report"]["steps"][0]["examples"][0]["note"]
    assert await rows_of(loose["dataset"]["id"]) == [*rows[:2], None]


async def test_lengths_are_counted_in_tokens_of_a_model(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    rows = [{"prompt": "word " * n, "completion": "x"} for n in (1, 20, 40)]
    made = (await upload("a.jsonl", lines(rows))).json()
    body = {"length": {"unit": "tokens", "minimum": 10, "maximum": 60}, "preview": True}
    answer = await answered("POST", f"/{made['id']}/clean", json=body)
    assert 1 in answer["report"]["steps"][0]["removed_rows"]
    assert "tokens" in answer["report"]["steps"][0]["examples"][0]["note"]
    body["length"] |= {"model": "nobody/nothing"}  # type: ignore[operator]
    refused = await client.post(f"{PATH}/{made['id']}/clean", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "model-not-found")


async def test_columns_that_are_renamed_may_make_another_format(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("a.jsonl", lines([{"prompt": "a", "completion": "b", "n": 1}]))).json()
    rename = {
        "columns": {"keep": ["prompt", "completion"], "rename": {"prompt": "instruction", "completion": "output"}}
    }
    answer = await answered("POST", f"/{made['id']}/clean", json=rename)
    assert (await client.get(f"{PATH}/{answer['dataset']['id']}")).json()["format"] == "alpaca"
    assert await rows_of(answer["dataset"]["id"]) == [{"instruction": "a", "output": "b"}]
    useless = await answered("POST", f"/{made['id']}/clean", json={"columns": {"drop": ["completion"]}})
    assert useless["code"] == "missing-columns"
    taken = await answered("POST", f"/{made['id']}/clean", json={"columns": {"rename": {"n": "prompt"}}})
    assert (taken["changed"], taken["report"]["steps"][0]["left"]) == (False, 1)


async def test_cleanings_that_make_no_sense_are_refused(
    upload: Upload, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    path = f"/{made['id']}/clean"
    bad: list[dict[str, Any]] = [
        {},
        {"preview": True},
        {"missing": [{"action": "fill", "columns": ["note"], "value": " "}]},
        {"missing": [{"action": "fill", "value": "x"}]},
        {"length": {}},
        {"length": {"minimum": 5, "maximum": 4}},
        {"columns": {"drop": ["a"], "keep": ["b"]}},
        {"columns": {"rename": {"a": "c", "b": "c"}}},
        {"near_duplicates": {"threshold": 0.1}},
        {"normalise": {"columns": ["\x00"]}},
        {"unknown": 1},
    ]
    for body in bad:
        assert (await client.post(PATH + path, json=body)).status_code == 422, body
    unknown = await answered("POST", path, json={"missing": [{"columns": ["compleiton"], "action": "drop"}]})
    assert unknown["code"] == "missing-columns"
    assert "`completion`" in unknown["message"]
    everything = await answered("POST", path, json={"length": {"minimum": 10_000}})
    assert everything["code"] == "preprocessing"
    assert (await client.get(PATH)).json()["total"] == 1
