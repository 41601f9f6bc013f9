"""Proposes a format and a mapping for columns that fit none by their own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.domains.datasets.formats import FIELDS, DataFormat, label_of
from tunesmith.domains.datasets.mapping.names import CONVERSATION_NAMES, Part, likeness

SURE = 0.7
"""A proposal of this confidence is taken without asking."""
BY_CONTENT = 0.45
MAX_COLUMNS = 200
MIN_ANSWER_CHARACTERS = 8
MIN_DIFFERENT = 0.5
MUCH_LONGER = 1.5
_ASKED = (Part.QUESTION, Part.INSTRUCTION, Part.PROMPT)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """A way to read the columns: column of the file → field of the format, where the names differ."""

    format: DataFormat
    mapping: dict[str, str]
    confidence: float
    reasons: list[str] = field(default_factory=list)


def propose(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    """The readings that make sense, the likeliest first; none when nothing does. Looks at the first columns only."""
    columns = columns[:MAX_COLUMNS]
    found = [
        *_conversations(columns, rows),
        *_pairs(columns, rows),
        *_questions(columns, rows),
        *_texts(columns, rows),
        *_by_content(columns, rows),
    ]
    best: dict[DataFormat, Proposal] = {}
    for proposal in found:
        if proposal.format not in best or proposal.confidence > best[proposal.format].confidence:
            best[proposal.format] = proposal
    return sorted(best.values(), key=lambda proposal: -proposal.confidence)


def _proposal(fmt: DataFormat, fields: Mapping[str, tuple[str, float]], factor: float = 1.0) -> Proposal:
    """``fields``: field of the format → the column for it, and how sure that is. Required ones make the confidence."""
    required = [sure for name, (_, sure) in fields.items() if name in FIELDS[fmt].required]
    mapping = {column: name for name, (column, _) in fields.items() if column != name}
    reasons = [f"`{column[:60]}` is taken for `{name}`." for name, (column, _) in fields.items() if column != name]
    return Proposal(fmt, mapping, round(min(required) * factor, 3), reasons)


def _best(columns: Sequence[str], part: Part, taken: set[str]) -> tuple[str, float] | None:
    scored = [(column, likeness(column, part)) for column in columns if column not in taken]
    best = max(scored, key=lambda pair: pair[1], default=("", 0.0))
    return best if best[1] > 0 else None


def _conversations(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    """A column that holds lists of turns, whatever its name."""
    found = []
    for column in columns:
        values = [row[column] for row in rows if row.get(column)]
        turns = [value[0] for value in values if isinstance(value, list) and value and isinstance(value[0], Mapping)]
        if not values or len(turns) < 0.5 * len(values):
            continue
        for fmt, name, keys in (
            (DataFormat.MESSAGES, "messages", {"role", "content"}),
            (DataFormat.SHAREGPT, "conversations", {"from", "value"}),
        ):
            share = sum(keys <= turn.keys() for turn in turns) / len(values)
            if share >= 0.5:
                known = 0.95 if column.lower() in CONVERSATION_NAMES else 0.8
                found.append(_proposal(fmt, {name: (column, known * share)}))
    return found


def _pairs(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    chosen = _best(columns, Part.CHOSEN, set())
    rejected = _best(columns, Part.REJECTED, {chosen[0]} if chosen else set())
    if not chosen or not rejected:
        return []
    fields = {"chosen": chosen, "rejected": rejected}
    asked = _asked(columns, {chosen[0], rejected[0]})
    if asked is not None:
        fields["prompt"] = asked[1]
    return [_proposal(DataFormat.PREFERENCE, fields, 0.95 * _share_of_said(rows, [chosen[0], rejected[0]]))]


def _asked(columns: Sequence[str], taken: set[str]) -> tuple[Part, tuple[str, float]] | None:
    """The column that asks, and in which words."""
    found = [(part, best) for part in _ASKED if (best := _best(columns, part, taken))]
    return max(found, key=lambda pair: pair[1][1], default=None)


def _questions(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    """A question and its answer, by the names that the question's column suggests; with a label, a judged answer."""
    asked = _asked(columns, set())
    answer = _best(columns, Part.ANSWER, {asked[1][0]} if asked else set())
    if asked is None or answer is None:
        return []
    part, question = asked
    factor = 0.95 * _share_of_said(rows, [question[0], answer[0]])
    taken = {question[0], answer[0]}
    extra = {"system": system} if (system := _best(columns, Part.SYSTEM, taken)) else {}
    found = []
    if part is Part.INSTRUCTION:
        more = _best(columns, Part.CONTEXT, taken) or _best(columns, Part.PROMPT, taken)
        fields = {"instruction": question, "output": answer} | ({"input": more} if more else {})
        found.append(_proposal(DataFormat.ALPACA, fields | extra, factor))
    elif part is Part.QUESTION:
        context = _best(columns, Part.CONTEXT, taken)
        fields = {"question": question, "answer": answer} | ({"context": context} if context else {})
        found.append(_proposal(DataFormat.QA, fields | extra, factor))
    else:
        found.append(
            _proposal(DataFormat.PROMPT_COMPLETION, {"prompt": question, "completion": answer} | extra, factor)
        )
    label = _best(columns, Part.LABEL, taken)
    if label is not None and _is_label(label[0], rows):
        judged = {"prompt": question, "completion": answer, "label": label}
        found.append(_proposal(DataFormat.KTO, judged | extra, min(1.0, factor * 1.02)))
    return found


def _texts(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    text = _best(columns, Part.TEXT, set())
    return [_proposal(DataFormat.TEXT, {"text": text}, 0.8 * _share_of_said(rows, [text[0]]))] if text else []


def _by_content(columns: Sequence[str], rows: Sequence[Row]) -> list[Proposal]:
    """Without telling names: the two columns with the longest texts that vary; one asks and one answers."""
    lengths = {
        column: sum(len(row[column]) for row in rows) / len(rows)
        for column in columns
        if rows and all(isinstance(row.get(column), str) for row in rows)
    }
    varied = [
        column
        for column in lengths
        if len({row[column] for row in rows}) >= MIN_DIFFERENT * len(rows) and not _are_numbers(column, rows)
    ]
    if not varied:
        return []
    longest = sorted(varied, key=lambda column: -lengths[column])[:2]
    if lengths[longest[0]] < MIN_ANSWER_CHARACTERS:
        return []
    if len(longest) == 1:
        return [_proposal(DataFormat.TEXT, {"text": (longest[0], BY_CONTENT)})]
    asked, answer = sorted(longest, key=lambda column: _speaks_second(column, longest, columns, lengths, rows))
    return [_proposal(DataFormat.QA, {"question": (asked, BY_CONTENT), "answer": (answer, BY_CONTENT)})]


def _speaks_second(
    column: str, both: Sequence[str], columns: Sequence[str], lengths: Mapping[str, float], rows: Sequence[Row]
) -> tuple[float, bool, int]:
    """Of two columns the one that asks has the question marks, else the much shorter texts, else comes first."""
    asks = sum(str(row[column]).rstrip().endswith(("?", "？", "까", "나요", "까요")) for row in rows) / len(rows)
    other = next(name for name in both if name != column)
    return -round(asks, 1), lengths[column] > MUCH_LONGER * lengths[other], columns.index(column)


def _are_numbers(column: str, rows: Sequence[Row]) -> bool:
    return all(row[column].strip().replace(".", "").replace("-", "").isdigit() for row in rows if row[column].strip())


def _is_label(column: str, rows: Sequence[Row]) -> bool:
    values = [row.get(column) for row in rows]
    return bool(values) and sum(label_of(value) is not None for value in values) >= 0.9 * len(values)


def _share_of_said(rows: Sequence[Row], columns: Sequence[str]) -> float:
    """The share of rows in which these columns hold texts or turns; 1 when there are no rows to look at."""
    if not rows:
        return 1.0
    return sum(all(isinstance(row.get(column), str | list) for column in columns) for row in rows) / len(rows)
