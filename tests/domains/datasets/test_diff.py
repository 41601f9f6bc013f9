"""What differs between two versions: against a brute-force model, and over HTTP on real files."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.datasets.conftest import PATH, Answered, Upload, Work
from tunesmith.domains.datasets.versions.diff import composed, differences, paired_by_ancestor, paired_by_content

Contents = st.lists(st.integers(0, 4), max_size=12)


def numbers(values: list[int]) -> Any:
    return np.array(values, dtype=np.uint64)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
    """An ancestor's contents, then versions, each as (contents, parent's row behind each row)."""
    contents = draw(Contents)
    versions, current = [], contents
    for _ in range(draw(st.integers(0, 3))):
        row_map, made = [], []
        for number, content in enumerate(current, start=1):
            for _ in range(draw(st.integers(0, 1))):
                row_map.append(0)
                made.append(draw(st.integers(0, 4)))
            if draw(st.booleans()):
                row_map.append(number)
                made.append(draw(st.sampled_from([content, 5])))
        versions.append((made, row_map))
        current = made
    return contents, versions


def origin(versions: list[tuple[list[int], list[int]]], row: int) -> int:
    """The ancestor's row behind a row of the last version; 0 for none."""
    for _, row_map in reversed(versions):
        if row == 0:
            return 0
        row = row_map[row - 1]
    return row


@given(histories(), st.data())
def test_versions_with_a_common_ancestor_differ_exactly_as_a_brute_force_says(
    history: tuple[list[int], list[tuple[list[int], list[int]]]], data: st.DataObject
) -> None:
    root, versions = history
    cut = data.draw(st.integers(0, len(versions)))
    first, second = versions[:cut], versions  # an ancestor and a descendant, or either of them the root itself
    if data.draw(st.booleans()):
        first, second = second, first
    contents = [line[-1][0] if line else root for line in (first, second)]
    origins = [
        [origin(line, row) for row in range(1, len(content) + 1)]
        for line, content in zip((first, second), contents, strict=True)
    ]
    maps = [[numbers(row_map) for _, row_map in reversed(line)] for line in (first, second)]
    behind = [composed(line, len(content)) for line, content in zip(maps, contents, strict=True)]
    assert [side.tolist() for side in behind] == origins

    expected = Counter()  # type: ignore[var-annotated]
    for row, content in enumerate(contents[0], start=1):
        twin = (
            origins[1].index(origins[0][row - 1]) + 1
            if origins[0][row - 1] in origins[1] and origins[0][row - 1]
            else 0
        )
        if not twin:
            expected["removed", row, 0] += 1
        elif contents[1][twin - 1] != content:
            expected["changed", row, twin] += 1
    for row in range(1, len(contents[1]) + 1):
        if not origins[1][row - 1] or origins[1][row - 1] not in origins[0]:
            expected["added", 0, row] += 1
    found = differences(numbers(contents[0]), numbers(contents[1]), paired_by_ancestor(*behind))
    assert Counter(found.page(0, 100)) == expected
    assert found.counts() == {kind: sum(key[0] == kind for key in expected) for kind in ("changed", "removed", "added")}
    for kind in ("changed", "removed", "added"):
        assert Counter(found.of([kind]).page(0, 100)) == Counter(key for key in expected if key[0] == kind)


@given(Contents, Contents)
def test_unrelated_files_differ_by_what_only_one_of_them_has(before: list[int], after: list[int]) -> None:
    found = differences(numbers(before), numbers(after), paired_by_content(numbers(before), numbers(after)))
    assert found.counts()["changed"] == 0
    removed = Counter(before[row - 1] for kind, row, _ in found.page(0, 100) if kind == "removed")
    added = Counter(after[row - 1] for kind, _, row in found.page(0, 100) if kind == "added")
    assert removed == Counter(before) - Counter(after)
    assert added == Counter(after) - Counter(before)
    for kept, side, gone in (
        (before, after, "removed"),
        (after, before, "added"),
    ):  # the last occurrences are the odd ones
        for kind, row, other in found.page(0, 100):
            if kind == gone:
                value = kept[(row or other) - 1]
                assert kept[: (row or other)].count(value) > side.count(value)


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


ROWS = [{"prompt": f"질문 {n}?", "completion": f"대답 {n}."} for n in range(1, 601)]


async def test_a_diff_shows_the_rows_of_both_versions(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    await work()
    edit = {
        "set": [{"row": 500, "pointer": "/completion", "value": "다른 대답"}],
        "delete": [2, 599],
        "insert": [{"after_row": 300, "value": {"prompt": "새", "completion": "것"}}],
    }
    first = (await answered("PATCH", f"/{made['id']}/rows", json=edit))["dataset"]["id"]
    back = {
        "set": [{"row": 500, "pointer": "/completion", "value": "대답 500."}, {"row": 1, "pointer": "/x", "value": 1}]
    }
    second = (await answered("PATCH", f"/{first}/rows", json=back))["dataset"]["id"]
    forward = await answered("GET", f"/{made['id']}/diff/{first}")
    assert forward["compared_by"] == "lineage"
    assert forward["counts"] == {"added": 1, "removed": 2, "changed": 1}
    assert [(d["kind"], d["row"], d["other_row"]) for d in forward["items"]] == [
        ("removed", 2, None),
        ("added", None, 300),
        ("changed", 500, 500),
        ("removed", 599, None),
    ]
    assert [d["before"] for d in forward["items"]] == [ROWS[1], None, ROWS[499], ROWS[598]]
    assert forward["items"][2]["after"] == ROWS[499] | {"completion": "다른 대답"}
    backward = (await client.get(f"{PATH}/{first}/diff/{made['id']}")).json()
    assert backward["counts"] == {"added": 2, "removed": 1, "changed": 1}
    whole = await answered("GET", f"/{made['id']}/diff/{second}")
    assert whole["counts"] == {"added": 1, "removed": 2, "changed": 1}, "row 500 was set back"
    assert whole["items"][0]["after"] == ROWS[0] | {"x": 1}
    page = (
        await client.get(f"{PATH}/{made['id']}/diff/{second}", params={"kind": "removed", "page": 2, "page_size": 1})
    ).json()
    assert ([(d["row"], d["before"]) for d in page["items"]], page["total"]) == ([(599, ROWS[598])], 2)


async def test_unrelated_files_of_other_kinds_are_compared_by_their_rows(
    upload: Upload, work: Work, answered: Answered, client: httpx.AsyncClient
) -> None:
    table = "prompt,completion\n" + "".join(f"{row['prompt']},{row['completion']}\n" for row in ROWS[:20]) + "a,b,c\n"
    one = (await upload("a.csv", table)).json()["id"]
    turned = [dict(reversed(row.items())) for row in reversed(ROWS[1:21])]
    two = (await upload("b.jsonl", lines(turned) + '{"prompt": \n', name="Other")).json()["id"]
    await work()
    answer = await answered("GET", f"/{one}/diff/{two}")
    assert answer["compared_by"] == "content"
    assert answer["counts"] == {"added": 2, "removed": 2, "changed": 0}
    assert {d["row"] for d in answer["items"] if d["kind"] == "removed"} == {1, 21}
    assert {d["other_row"] for d in answer["items"] if d["kind"] == "added"} == {1, 21}
    assert all(d["error"] for d in answer["items"] if 21 in (d["row"], d["other_row"]))
    same = (await client.get(f"{PATH}/{one}/diff/{one}")).json()
    assert (same["total"], same["compared_by"]) == (0, "lineage")
    assert (await client.get(f"{PATH}/{one}/diff/99")).status_code == 404
