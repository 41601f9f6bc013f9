"""Every shape of rows: told apart, checked row by row, and turned into what training reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.domains.datasets.doctor import examine_file
from tunesmith.domains.datasets.errors import DatasetFormatError, MissingColumnsError
from tunesmith.domains.datasets.exporting import export_rows
from tunesmith.domains.datasets.formats import SUPERVISED, DataFormat, detect, to_example
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource

USER = {"role": "user", "content": "언제?"}
GOOD = {"role": "assistant", "content": "정오에."}
POOR = {"role": "assistant", "content": "몰라."}
CALL = {"id": "c1", "type": "function", "function": {"name": "time", "arguments": '{"pier": 2}'}}
TOOLS = [{"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}]
CALLS = [
    USER,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
    GOOD,
]
PAIR = {"prompt": [USER], "chosen": [GOOD], "rejected": [POOR]}

EXAMPLES: list[tuple[DataFormat, dict[str, Any], dict[str, Any]]] = [
    (DataFormat.MESSAGES, {"messages": [USER, GOOD]}, {"messages": [USER, GOOD]}),
    (
        DataFormat.MESSAGES,
        {"messages": CALLS, "tools": TOOLS},
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [CALL | {"function": {"name": "time", "arguments": {"pier": 2}}}],
                },
                {"role": "tool", "content": "12:00", "tool_call_id": "c1"},
                GOOD,
            ],
            "tools": TOOLS,
        },
    ),
    (
        DataFormat.MESSAGES,
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "언제?"}]}, GOOD]},
        {"messages": [USER, GOOD]},
    ),
    (
        DataFormat.SHAREGPT,
        {"system": "s", "conversations": [{"from": "human", "value": "언제?"}, {"from": "GPT", "value": "정오에."}]},
        {"messages": [{"role": "system", "content": "s"}, USER, GOOD]},
    ),
    (
        DataFormat.SHAREGPT,
        {
            "conversations": [
                {"from": "user", "value": "언제?"},
                {"from": "function_call", "value": '{"name": "time", "arguments": {}}'},
                {"from": "observation", "value": "12:00"},
                {"from": "assistant", "value": "정오에."},
            ],
            "tools": json.dumps(TOOLS),
        },
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"type": "function", "function": {"name": "time", "arguments": {}}}],
                },
                {"role": "tool", "content": "12:00"},
                GOOD,
            ],
            "tools": TOOLS,
        },
    ),
    (
        DataFormat.ALPACA,
        {"instruction": "언제", "input": "?", "output": "정오에.", "history": [["a", "b"]], "system": "s"},
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "언제\n\n?"},
                GOOD,
            ]
        },
    ),
    (DataFormat.QA, {"question": "언제?", "answer": "정오에."}, {"messages": [USER, GOOD]}),
    (DataFormat.PROMPT_COMPLETION, {"prompt": "언제?", "completion": "정오에."}, {"messages": [USER, GOOD]}),
    (DataFormat.PROMPT_COMPLETION, {"prompt": [USER], "completion": [GOOD]}, {"messages": [USER, GOOD]}),
    (DataFormat.PREFERENCE, {"prompt": "언제?", "chosen": "정오에.", "rejected": "몰라."}, PAIR),
    (DataFormat.PREFERENCE, {"prompt": [USER], "chosen": [GOOD], "rejected": [POOR]}, PAIR),
    (DataFormat.PREFERENCE, {"chosen": [USER, GOOD], "rejected": [USER, POOR], "messages": [USER, GOOD]}, PAIR),
    (DataFormat.PREFERENCE, {"prompt": "언제?", "chosen": [USER, GOOD], "rejected": [USER, POOR]}, PAIR),
    (
        DataFormat.PREFERENCE,
        {
            "chosen": "\n\nHuman: 언제?\n\nAssistant: 정오에.",
            "rejected": "\n\nHuman: 언제?\n\nAssistant: 몰라.",
        },
        PAIR,
    ),
    (
        DataFormat.KTO,
        {"prompt": "언제?", "completion": "정오에.", "label": "True"},
        {"prompt": [USER], "completion": [GOOD], "label": True},
    ),
    (
        DataFormat.KTO,
        {"prompt": [USER], "completion": [GOOD], "label": 1, "tools": json.dumps(TOOLS)},
        {"prompt": [USER], "completion": [GOOD], "label": True, "tools": TOOLS},
    ),
    (
        DataFormat.PREFERENCE,
        {"prompt": "언제?", "chosen": "정오에.", "rejected": "몰라.", "tools": TOOLS},
        PAIR | {"tools": TOOLS},
    ),
    (
        DataFormat.PROMPT_COMPLETION,
        {"prompt": "언제?", "completion": "정오에.", "tools": None},
        {"messages": [USER, GOOD]},
    ),
    (DataFormat.TEXT, {"text": "배는 정오에 떠난다."}, {"text": "배는 정오에 떠난다."}),
]


def examined(tmp_path: Path, *rows: Any) -> list[tuple[str, str]]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return [(finding.code, finding.pointer) for finding in examine_file(path).findings]


def test_tools_beside_turns_are_checked_and_beside_a_text_may_be_anything(tmp_path: Path) -> None:
    asked = {"prompt": [USER], "chosen": [GOOD], "rejected": [POOR], "tools": "hammer"}
    assert examined(tmp_path, asked) == [("wrong-type", "/tools")]
    bare = {"prompt": "언제?", "completion": "정오에.", "tools": "hammer"}
    assert examined(tmp_path, bare) == [("extra-field", "/tools")]


@pytest.mark.parametrize(("fmt", "row", "example"), EXAMPLES)
def test_each_format_is_told_checked_and_converted(
    tmp_path: Path, fmt: DataFormat, row: dict[str, Any], example: dict[str, Any]
) -> None:
    found = detect([row] * 3)
    assert (found.format, found.confidence) == (fmt, 1.0)
    assert found.reasons
    assert [code for code, _ in examined(tmp_path, row)] == ["extra-field"] * ("messages" in row and "chosen" in row)
    assert to_example(row, fmt) == example


def call(**function: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": function}]}


def said(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": text} for who, text in turns]}


FAULTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"messages": [USER, call(name="time", arguments="Seoul")]}, [("bad-tool-call", "/messages/1/tool_calls/0")]),
    ({"messages": [USER, call(arguments={})]}, [("bad-tool-call", "/messages/1/tool_calls/0")]),
    ({"messages": [USER, call(name="time"), GOOD]}, [("wrong-role-order", "/messages/2/role")]),
    (
        {"messages": [USER, {"role": "tool", "content": "12:00"}, GOOD]},
        [("wrong-role-order", "/messages/1/role")],
    ),
    (
        {"messages": [*CALLS[:2], CALLS[2] | {"tool_call_id": "c9"}, GOOD]},
        [("tool-call-mismatch", "/messages/2/tool_call_id")],
    ),
    ({"messages": [USER, {"role": "assistant", "content": None}]}, [("wrong-type", "/messages/1/content")]),
    ({"messages": [USER, GOOD], "tools": "none"}, [("wrong-type", "/tools")]),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, GOOD]},
        [("wrong-type", "/messages/0/content")],
    ),
    (said(("human", "언제?"), ("narrator", "정오에.")), [("unknown-role", "/conversations/1/from")]),
    (said(("gpt", "정오에.")), [("wrong-role-order", "/conversations/0/from")]),
    (said(("human", "언제?"), ("gpt", 7)), [("wrong-type", "/conversations/1/value")]),
    (said(("human", ""), ("gpt", "정오에.")), [("empty-turn", "/conversations/0/value")]),
    (said(("human", "언제?"), ("function_call", "time")), [("bad-tool-call", "/conversations/1/value")]),
    ({"conversations": "언제?"}, [("wrong-type", "/conversations")]),
    ({"prompt": "언제?", "chosen": "정오.", "rejected": "정오."}, [("chosen-equals-rejected", "/rejected")]),
    ({"chosen": "정오.", "rejected": "몰라."}, [("no-shared-prompt", "/chosen")]),
    ({"chosen": [USER, GOOD], "rejected": [POOR]}, [("no-shared-prompt", "/chosen")]),
    ({"prompt": "언제?", "chosen": [USER, GOOD], "rejected": "몰라."}, [("wrong-type", "/rejected")]),
    ({"prompt": "언제?", "chosen": "정오.", "rejected": " "}, [("empty-turn", "/rejected")]),
    ({"prompt": "언제?", "completion": " ", "label": True}, [("empty-turn", "/completion")]),
    ({"instruction": "a", "output": "b", "history": [["c"]]}, [("wrong-type", "/history/0")]),
    ({"text": ""}, [("empty-turn", "/text")]),
    ({"question": 1, "answer": "b"}, [("wrong-type", "/question")]),
]


@pytest.mark.parametrize(("row", "faults"), FAULTS)
def test_each_fault_is_found_at_its_place(tmp_path: Path, row: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    assert examined(tmp_path, row) == faults


def test_a_label_that_is_neither_is_found_among_good_ones(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"{n}?", "completion": "a", "label": label} for n, label in enumerate([True, 0, "no", "perhaps"])
    ]
    assert examined(tmp_path, *rows) == [("bad-label", "/label")]
    classes = [{"prompt": f"{n}?", "completion": "a", "label": "billing"} for n in range(3)]
    assert detect(classes).format is DataFormat.PROMPT_COMPLETION


def test_only_conversations_contradict_each_other(tmp_path: Path) -> None:
    answers = [{"question": "언제?", "answer": "정오."}, {"question": "언제?", "answer": "밤."}]
    assert examined(tmp_path, *answers) == [("contradictory-answers", "")]
    judged = [{"prompt": "언제?", "completion": text, "label": text == "정오."} for text in ("정오.", "밤.")]
    assert examined(tmp_path, *judged) == []
    assert examined(tmp_path, {"text": "a"}, {"text": "b"}, {"text": "a"}) == [("exact-duplicate", "")]


def test_rows_that_fit_nothing_are_refused_with_what_is_missing() -> None:
    with pytest.raises(MissingColumnsError) as caught:
        detect([{"chosen": "a", "other": "b"}])
    assert caught.value.extra["missing"] == ["rejected"]


def test_training_refuses_what_is_no_conversation(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n')
    source = RowSource(path, FileKind.JSONL, DataFormat.TEXT, 1 << 20)
    with pytest.raises(DatasetFormatError, match="plain text"):
        export_rows(source, tmp_path / "out.jsonl", accepted=SUPERVISED)
    assert not (tmp_path / "out.jsonl").exists()
